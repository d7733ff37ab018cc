import { fork } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Informer, client, connect, systemClock } from '../../operator/kube/index.ts';
import { Namespace } from '../../operator/kube/builtin.ts';
import { kubeconfig } from '../../operator/kube/kubeconfig.ts';
import { silentLog } from '../../operator/kube/log.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../eventually.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { Widget, definition } from './kube-widget.ts';
import type { ChildProcess } from 'node:child_process';
import type { Client, Cluster } from '../../operator/kube/index.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import type { Sample } from './kube-worker.ts';

/** Seconds of soak; 1800 for the long one. */
const SOAK_SECONDS = Number(process.env['KUBE_SOAK_SECONDS'] ?? 15);
/** Widgets of about 6 KB; 10000 for the full measurement. */
const SCALE = Number(process.env['KUBE_SCALE'] ?? 1000);

jest.setTimeout((SOAK_SECONDS + 600) * 1000);

let plane: ControlPlane;
let direct: Cluster;
let widgets: Client<Widget>;
let namespace: string;
let namespaces = 0;
let workers: ChildProcess[];

beforeAll(async () => {
  plane = await startControlPlane();
  direct = await connect({ kubeconfig: plane.kubeconfig });
  widgets = client(direct, Widget, { fieldManager: 'person' });
  await plane.apply(definition());
  await plane.kubectl('wait', '--for=condition=Established', 'crd/widgets.example.dev');
}, 600_000);

afterAll(async () => {
  await direct.close();
  await plane.stop();
});

beforeEach(async () => {
  namespaces += 1;
  namespace = `endurance-${namespaces}`;
  workers = [];
  await client(direct, Namespace, { fieldManager: 'person' }).create({ metadata: { name: namespace } });
});

afterEach(async () => {
  await Promise.all(workers.map(end));
});

function startWorker(server = plane.kubeconfig): ChildProcess {
  const worker = fork('test/integration/kube-worker.ts', [server, namespace], { execArgv: ['--expose-gc', '--max-semi-space-size=4'] });
  workers.push(worker);
  return worker;
}

async function end(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null) return;
  const ended = new Promise((resolve) => {
    worker.once('exit', resolve);
  });
  if (worker.connected) worker.disconnect();
  await ended;
}

function sample(worker: ChildProcess): Promise<Sample> {
  return new Promise((resolve) => {
    worker.once('message', (message) => resolve(message as Sample));
    worker.send('sample');
  });
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** Like a workflow of twelve nodes. */
function ballast(i: number): object[] {
  return Array.from({ length: 12 }, (_, n) => ({
    name: `Node ${n}`,
    type: ['if', 'set', 'httpRequest'][n % 3],
    position: [n * 240, 0],
    parameters: { url: `https://example.com/${i}/${n}`, conditions: [{ left: `={{ $json.total${n} }}`, op: 'gt', right: i }], text: `lorem ipsum dolor sit amet ${i} ${n} `.repeat(6) },
    retry: { max: 3, backoff: 'exponential' },
  }));
}

test(`memory and sockets stay flat over ${SOAK_SECONDS} s of changes and broken connections`, async () => {
  const source = kubeconfig({ files: [plane.kubeconfig], now: () => Date.now() });
  const proxy = await startFaultProxy(await source({ signal: new AbortController().signal, rejected: false }));
  const { server } = await proxy.credentials({ signal: new AbortController().signal, rejected: false });
  const worker = startWorker(server);
  const end = performance.now() + SOAK_SECONDS * 1000;
  const samples: Sample[] = [];
  let round = 0;
  while (performance.now() < end) {
    round += 1;
    const name = `w${round % 50}`;
    if (round % 17 === 0) await widgets.delete(`${namespace}/${name}`);
    else await widgets.apply({ metadata: { name, namespace }, spec: { size: round, ballast: ballast(round) } });
    if (round % 100 === 0) proxy.resetAll();
    if (round % 250 === 0) proxy.inject({ on: 'watch', fault: { answer: { status: 410 } } });
    if (round % 50 === 0) samples.push(await sample(worker));
    await delay(5);
  }
  await eventually(async () => {
    const { items } = await widgets.list({ namespace });
    for (const item of items) expect(item.status).toMatchObject({ seen: item.spec.size, observedGeneration: item.metadata.generation });
    expect((await sample(worker)).objects).toBe(items.length);
  });
  await proxy.close();

  const third = Math.floor(samples.length / 3);
  const [early, late] = [samples.slice(third, 2 * third), samples.slice(-third)];
  const heap = [mean(early.map(({ heapMb }) => heapMb)), mean(late.map(({ heapMb }) => heapMb))] as const;
  const sockets = [Math.max(...early.map((s) => s.sockets)), Math.max(...late.map((s) => s.sockets))] as const;
  process.stdout.write(
    `soak: ${SOAK_SECONDS} s, ${round} changes, ${samples.at(-1)?.passes} passes, ${samples.at(-1)?.lists} reads; heap ${heap.map((mb) => mb.toFixed(1)).join(' -> ')} MB; ` +
      `RSS ${early.at(0)?.rssMb.toFixed(0)} -> ${late.at(-1)?.rssMb.toFixed(0)} MB; sockets ${sockets.join(' -> ')}\n`,
  );
  expect(heap[1]).toBeLessThan(heap[0] * 1.1 + 2);
  // Four watches, each beside the one it replaces while that closes; as many requests as workers at most; one for events; and the channel to
  // this process. A leak would add four with every reset.
  expect(sockets[1]).toBeLessThanOrEqual(2 * 4 + 16 + 1 + 1);
});

test(`${SCALE} objects: a start writes nothing, takes little memory, and a change is seen and written at once`, async () => {
  const names = Array.from({ length: SCALE }, (_, i) => `w${i}`);
  const bytes = Buffer.byteLength(JSON.stringify(await widgets.create({ metadata: { name: 'first', namespace }, spec: { size: 0, ballast: ballast(0) } })));
  await inParallel(names, 24, async (name, i) => void (await widgets.create({ metadata: { name, namespace }, spec: { size: i, ballast: ballast(i) } })));
  const first = startWorker();
  await eventually(async () => expect((await sample(first)).writes).toBeGreaterThan(SCALE), { withinMs: 60_000 + SCALE * 50, everyMs: 1000 });
  await eventually(async () => {
    const { items } = await widgets.list({ namespace });
    expect(items.filter(({ spec, status }) => status?.seen !== spec.size).length).toBe(0);
  });
  await end(first);

  const worker = startWorker();
  const settled = await eventually(
    async () => {
      const now = await sample(worker);
      expect(now.passes).toBe(SCALE + 1);
      return now;
    },
    { withinMs: 60_000, everyMs: 200 },
  );
  const settledMs = performance.now();
  expect(settled.writes).toBe(0);

  const watching = new AbortController();
  const seen = new Informer(Widget, { namespace }, { cluster: direct, clock: systemClock, log: silentLog });
  const running = seen.run(watching.signal);
  await seen.cache.whenSynced();
  const latencies: number[] = [];
  for (let i = 0; i < 200; i += 1) {
    const name = names[(i * 37) % SCALE] ?? 'w0';
    const size = 1_000_000 + i;
    const done = new Promise<number>((resolve) => {
      const unsubscribe = seen.cache.subscribe(({ key, after }) => {
        if (key !== `${namespace}/${name}` || after?.status?.seen !== size) return;
        unsubscribe();
        resolve(performance.now());
      });
    });
    const startedAt = performance.now();
    await widgets.patch(`${namespace}/${name}`, { merge: { spec: { size } } });
    latencies.push((await done) - startedAt);
  }
  watching.abort();
  await running;
  process.stdout.write(
    `scale: ${SCALE} objects of ${bytes} bytes; caches filled ${settled.syncedMs.toFixed(0)} ms after the process started; heap ${settled.heapMb.toFixed(0)} MB, RSS ${settled.rssMb.toFixed(0)} MB; ` +
      `change to status: p50 ${quantile(latencies, 0.5).toFixed(1)} ms, p99 ${quantile(latencies, 0.99).toFixed(1)} ms; ${settledMs.toFixed(0)} ms in all\n`,
  );
  expect(settled.heapMb).toBeLessThan(40 + SCALE * 0.016);
});

async function inParallel<T>(items: readonly T[], width: number, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let i = next++; i < items.length; i = next++) await work(items[i] as T, i);
    }),
  );
}
