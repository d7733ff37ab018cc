import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Informer, client, connect, resource, systemClock } from '../../operator/kube/index.ts';
import { ConfigMap } from '../../operator/kube/builtin.ts';
import { silentLog } from '../../operator/kube/log.ts';
import { eventually } from '../eventually.ts';
import { full, randomFrom, runSeed, sample } from '../full.ts';
import { startKubeWorld, type KubeWorld } from './kube-world.ts';
import type { Client, Cluster } from '../../operator/kube/index.ts';
import type { Fault, FaultProxy } from './fault-proxy.ts';

jest.setTimeout(180_000);

/** Faults of the mixture. */
const ROUNDS = full ? 300 : 30;

let world: KubeWorld;
let maps: Client<ConfigMap>;
let proxy: FaultProxy;
let proxied: Cluster;
let namespace: string;
let stop: AbortController;
let running: Promise<void>[];

beforeAll(async () => {
  world = await startKubeWorld();
  maps = client(world.direct, ConfigMap, { fieldManager: 'test' });
}, 600_000);

afterAll(() => world.stop());

beforeEach(async () => {
  namespace = await world.newNamespace();
  proxy = await world.startProxy();
  proxied = await connect({ credentials: proxy.credentials });
  stop = new AbortController();
  running = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.all(running);
  await proxied.close();
  await proxy.close();
});

/** An informer that goes through the proxy; 1 s of silence counts as dead. */
function informer(options: { idleMs?: number; pageSize?: number } = {}): Informer<ConfigMap> {
  const made = new Informer(ConfigMap, { namespace }, { cluster: proxied, clock: systemClock, log: silentLog, idleMs: 1000, ...options });
  running.push(made.run(stop.signal));
  return made;
}

let written = 0;
/** A handful of changes of every sort: new, changed, deleted and created again. */
async function change(count = 12): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    written += 1;
    const name = `m${written % 7}`;
    if (written % 5 === 0) await maps.delete(`${namespace}/${name}`);
    else await maps.apply({ metadata: { name, namespace }, data: { n: String(written) } });
  }
}

const shown = (objects: ConfigMap[]): string[] => objects.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();

/** No change was missed: the cache shows what the API server has. */
async function expectNothingMissed(from: Informer<ConfigMap>): Promise<void> {
  await eventually(async () => {
    expect(from.cache.synced).toBe(true);
    expect(shown(from.cache.list())).toEqual(shown((await maps.list({ namespace })).items));
  });
}

const status = (code: number, reason: string): object => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: reason });

const onWatch: { name: string; fault: Fault; times?: number }[] = [
  { name: 'watch answers 500', fault: { answer: { status: 500, body: status(500, 'InternalError') } }, times: 2 },
  { name: 'watch answers 429 with Retry-After', fault: { answer: { status: 429, body: status(429, 'TooManyRequests'), headers: { 'retry-after': '1' } } }, times: 2 },
  { name: 'watch answers 503 from a proxy, in HTML', fault: { answer: { status: 503, body: '<html>' } }, times: 2 },
  { name: 'watch answers 410', fault: { answer: { status: 410, body: status(410, 'Expired') } } },
  { name: 'watch sends 410 as an event', fault: { afterEvents: 3, harm: { event: { type: 'ERROR', object: status(410, 'Expired') } } } },
  { name: 'watch sends 500 as an event', fault: { afterEvents: 1, harm: { event: { type: 'ERROR', object: status(500, 'InternalError') } } }, times: 4 },
  { name: 'a real 410: the version is too old', fault: { query: { resourceVersion: '1' } } },
  { name: 'a version of the future, as after a restored backup', fault: { query: { resourceVersion: '999999999' } }, times: 2 },
  { name: 'watch is reset before an answer', fault: { reset: true }, times: 2 },
  { name: 'watch is reset in the middle of an event', fault: { afterEvents: 2, harm: 'reset' }, times: 2 },
  { name: 'watch ends in the middle of an event', fault: { afterEvents: 2, harm: 'cutLine' }, times: 2 },
  { name: 'watch sends a line that is not JSON', fault: { afterEvents: 2, harm: 'garbage' }, times: 2 },
  { name: 'watch sends an event of an unknown type', fault: { afterEvents: 1, harm: { event: { type: 'SURPRISE', object: { metadata: { resourceVersion: '1' } } } } } },
  { name: 'watch ends at once', fault: { answer: { status: 200, body: '' } }, times: 3 },
  { name: 'watch ends after an event', fault: { afterEvents: 1, harm: 'end' }, times: 3 },
  { name: 'watch goes silent, half open', fault: { afterEvents: 2, harm: 'silence' } },
];

test.each(sample(onWatch, 8))(
  'misses no change when $name',
  async ({ fault, times = 1 }) => {
    await change();
    proxy.inject({ on: 'watch', fault, times });
    const from = informer();
    await eventually(() => expect(from.cache.synced).toBe(true));
    await change();
    await eventually(async () => {
      await change(3);
      expect(proxy.pending('watch')).toBe(0);
    });
    await change();
    await expectNothingMissed(from);
  },
);

const onList: { name: string; fault: Fault; skip?: number }[] = [
  { name: 'the first list answers 500', fault: { answer: { status: 500, body: status(500, 'InternalError') } } },
  { name: 'the first list answers 429', fault: { answer: { status: 429, body: status(429, 'TooManyRequests'), headers: { 'retry-after': '1' } } } },
  { name: 'the first list is forbidden', fault: { answer: { status: 403, body: status(403, 'Forbidden') } } },
  { name: 'the first list is reset', fault: { reset: true } },
  { name: 'the first list is not JSON', fault: { answer: { status: 200, body: '{"items": [' } } },
  { name: 'the second page answers 500', fault: { answer: { status: 500, body: status(500, 'InternalError') } }, skip: 1 },
  { name: 'the second page has expired', fault: { answer: { status: 410, body: status(410, 'Expired') } }, skip: 1 },
];

test.each(sample(onList, 4))(
  'misses no change when $name',
  async ({ fault, skip = 0 }) => {
    await change(20);
    proxy.inject({ on: 'list', fault, times: 2, skip });
    const from = informer({ pageSize: 2 });
    await change();
    await expectNothingMissed(from);
    expect(proxy.pending('list')).toBe(0);
  },
);

test('waits as long as Retry-After says', async () => {
  proxy.inject({ on: 'watch', fault: { answer: { status: 429, body: status(429, 'TooManyRequests'), headers: { 'retry-after': '1' } } } });
  informer();
  const watches = await eventually(() => {
    const seen = proxy.requests.filter(({ traffic }) => traffic === 'watch');
    expect(seen.length).toBeGreaterThanOrEqual(2);
    return seen;
  });
  expect((watches[1]?.at ?? 0) - (watches[0]?.at ?? 0)).toBeGreaterThanOrEqual(1000);
});

test('continues where a broken watch stopped, without a new list', async () => {
  const from = informer();
  await eventually(() => expect(from.cache.synced).toBe(true));
  await change();
  await expectNothingMissed(from);
  for (let i = 0; i < 3; i += 1) {
    proxy.resetAll();
    await change();
    await expectNothingMissed(from);
  }
  expect(proxy.requests.filter(({ traffic }) => traffic === 'list').length).toBe(1);
});

test('lists in pages that together show one moment', async () => {
  await Promise.all(Array.from({ length: 25 }, (_, i) => maps.create({ metadata: { name: `page-${i}`, namespace } })));
  const from = informer({ pageSize: 10 });
  await expectNothingMissed(from);
  const lists = proxy.requests.filter(({ traffic }) => traffic === 'list');
  expect(lists.map(({ url }) => [url.searchParams.get('limit'), url.searchParams.has('continue')])).toEqual([
    ['10', false],
    ['10', true],
    ['10', true],
  ]);
});

test('finds a kind that is defined only later', async () => {
  const Late = resource<ConfigMap>({ group: 'late.example.dev', version: 'v1', plural: 'lates', kind: 'Late' });
  const late = new Informer(Late, {}, { cluster: proxied, clock: systemClock, log: silentLog });
  running.push(late.run(stop.signal));
  await eventually(() => expect(proxy.requests.length).toBeGreaterThan(1));
  await world.plane.apply({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'lates.late.example.dev' },
    spec: {
      group: 'late.example.dev',
      scope: 'Namespaced',
      names: { plural: 'lates', singular: 'late', kind: 'Late' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  });
  await eventually(() => expect(late.cache.synced).toBe(true));
});

test('misses no change when the API server is killed and comes back', async () => {
  await change();
  const from = informer({ idleMs: 60_000 });
  await expectNothingMissed(from);
  await world.plane.killApiServer();
  await world.plane.startApiServer();
  await change();
  await expectNothingMissed(from);
  expect(from.cache.size).toBeGreaterThan(0);
}, 240_000);

test('misses no change in a mixture of faults', async () => {
  const random = randomFrom(runSeed);
  await change();
  const from = informer();
  // Those that make it wait for seconds would make the test slow, not harder.
  const watchFaults = onWatch.filter(({ name }) => !/429|silent|future/.test(name));
  const listFaults = onList.filter(({ name }) => !name.includes('429'));
  for (let i = 0; i < ROUNDS; i += 1) {
    proxy.inject({ on: 'watch', fault: pick(random, watchFaults).fault });
    if (random() < 0.3) proxy.inject({ on: 'list', fault: pick(random, listFaults).fault });
    proxy.resetAll();
    await eventually(async () => {
      await change(Math.floor(random() * 8));
      expect(proxy.pending('watch')).toBeLessThanOrEqual(2);
    });
  }
  await expectNothingMissed(from).catch((err: unknown) => {
    throw new Error(`with MILLRACE_TEST_SEED=${runSeed}`, { cause: err });
  });
}, 60_000 + ROUNDS * 6000);

function pick<T>(random: () => number, from: readonly T[]): T {
  const chosen = from[Math.floor(random() * from.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}
