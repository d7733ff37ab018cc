import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Greeting, greetingController } from '../../operator/kube/example/greeting.ts';
import { Manager, StalledError, WaitingError, client, connect, findCondition, kstatus, objectReconciler, patches, reads, watch, writesStatus } from '../../operator/kube/index.ts';
import { ConfigMap, Pod } from '../../operator/kube/builtin.ts';
import { silentLog } from '../../operator/kube/log.ts';
import { eventually } from '../eventually.ts';
import { Widget } from './kube-widget.ts';
import { startKubeWorld, type KubeWorld } from './kube-world.ts';
import type { Client, Cluster, ManagerOptions, ObjectPass, ObjectReconcilerOptions, Result } from '../../operator/kube/index.ts';
import type { FaultProxy } from './fault-proxy.ts';

jest.setTimeout(180_000);

let world: KubeWorld;
let widgets: Client<Widget>;
let proxy: FaultProxy;
let proxied: Cluster;
let namespace: string;
let stops: (() => Promise<void>)[];

beforeAll(async () => {
  world = await startKubeWorld([{ plural: 'greetings', kind: 'Greeting' }]);
  ({ widgets } = world);
}, 600_000);

afterAll(() => world.stop());

beforeEach(async () => {
  namespace = await world.newNamespace();
  proxy = await world.startProxy();
  proxied = await connect({ credentials: proxy.credentials });
  stops = [];
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await proxied.close();
  await proxy.close();
});

/** Runs a manager through the proxy; returns how to stop it. */
function run(setUp: (manager: Manager) => void, options: Partial<ManagerOptions> = {}): { manager: Manager; stop: () => Promise<void> } {
  const manager = new Manager({ cluster: proxied, log: silentLog, fieldManager: 'test-controller', freezeCache: true, ...options });
  setUp(manager);
  const abort = new AbortController();
  const running = manager.run(abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort();
    await running;
  };
  stops.push(stop);
  return { manager, stop };
}

type Reconcile = (widget: Widget, pass: ObjectPass<Widget>) => Promise<Result>;

/** A controller of widgets that does this, and checks at every version it sees that kstatus is not misled. */
function widgetController(reconcile: Reconcile, options: Partial<ObjectReconcilerOptions<Widget>> & { deadlineMs?: number } = {}) {
  return (manager: Manager): void => {
    const { deadlineMs = 60_000, ...rest } = options;
    const cache = manager.cache(Widget, { namespace });
    manager.control({
      name: 'widget',
      rbac: [...reads(Widget), ...writesStatus(Widget), ...patches(Widget)],
      watches: [watch(cache)],
      deadlineMs,
      reconcile: objectReconciler({ manager, cache, ready: ['Sized'], reconcile, ...rest }),
    });
  };
}

const sized: Reconcile = async (widget, pass) => {
  pass.mark('Sized', 'True', 'Measured', `size ${widget.spec.size}`);
  return {};
};

function create(spec: Widget['spec'] = {}, name = 'w'): Promise<Widget> {
  return widgets.create({ metadata: { name, namespace }, spec });
}

async function widget(name = 'w'): Promise<Widget> {
  const found = await widgets.get(`${namespace}/${name}`);
  if (!found) throw new Error(`${name} is gone`);
  return found;
}

const ready = async (name = 'w'): Promise<string> => {
  const condition = findCondition(await widget(name), 'Ready');
  return `${condition?.status}/${condition?.reason}`;
};

const writesSeen = (): string[] => proxy.requests.filter(({ traffic }) => traffic === 'write').map(({ method, url }) => `${method} ${url.pathname}`);

test('the example of the README does what it says', async () => {
  const example = await readFile('operator/kube/example/greeting.ts', 'utf8');
  expect(await readFile('operator/kube/README.md', 'utf8')).toContain(example);

  const greetings = client(world.direct, Greeting, { fieldManager: 'person' });
  const maps = client(world.direct, ConfigMap, { fieldManager: 'person' });
  run(greetingController);
  await greetings.create({ metadata: { name: 'hi', namespace }, spec: { name: 'you' } });
  const text = async (want: string | undefined): Promise<void> => {
    await eventually(async () => expect((await maps.get(`${namespace}/hi`))?.data?.['text']).toBe(want));
  };
  await text('Hello you');
  await eventually(async () => expect(kstatus((await greetings.get(`${namespace}/hi`)) as Greeting)).toBe('Current'));
  expect((await greetings.get(`${namespace}/hi`))?.status).toMatchObject({ shown: 'Hello you', observedGeneration: 1 });

  await greetings.patch(`${namespace}/hi`, { merge: { spec: { name: 'all' } } });
  await text('Hello all');
  await maps.patch(`${namespace}/hi`, { merge: { data: { text: 'spoilt' } } });
  await text('Hello all');
  await maps.delete(`${namespace}/hi`);
  await text('Hello all');
});

test('a start when nothing changed writes nothing', async () => {
  const greetings = client(world.direct, Greeting, { fieldManager: 'person' });
  await Promise.all(Array.from({ length: 20 }, (_, i) => greetings.create({ metadata: { name: `g${i}`, namespace }, spec: { name: `n${i}` } })));
  const first = run(greetingController);
  await eventually(async () => {
    const { items } = await greetings.list({ namespace });
    for (const item of items) expect(kstatus(item)).toBe('Current');
  });
  await first.stop();
  const before = writesSeen().length;
  const { manager } = run(greetingController);
  await eventually(async () => {
    const { values } = await manager.metrics.registry.getSingleMetric('reconcile_total')?.get() ?? { values: [] };
    expect(values.reduce((sum, { value }) => sum + value, 0)).toBeGreaterThanOrEqual(20);
  });
  expect(writesSeen().slice(before)).toEqual([]);
});

test('the status follows each generation, and kstatus is never misled on the way', async () => {
  run((manager) => {
    manager.cache(Widget, { namespace }).subscribe(({ after }) => {
      if (!after) return;
      const types = (after.status?.conditions ?? []).filter(({ status }) => status === 'True').map(({ type }) => type);
      const verdicts = ['Ready', 'Reconciling', 'Stalled'].filter((type) => types.includes(type));
      expect(verdicts.length).toBe(after.status?.observedGeneration === -1 ? 0 : 1);
      if (kstatus(after) === 'Current') expect(after.status?.['seen']).toBe(after.spec.size);
    });
    widgetController(async (object, pass) => {
      pass.status.seen = object.spec.size ?? 0;
      return await sized(object, pass);
    })(manager);
  });
  expect(kstatus(await create({ size: 0 }))).toBe('InProgress');
  for (let size = 1; size <= 20; size += 1) await widgets.patch(`${namespace}/w`, { merge: { spec: { size } } });
  await eventually(async () => {
    const object = await widget();
    expect(kstatus(object)).toBe('Current');
    expect(object.status).toMatchObject({ seen: 20, observedGeneration: object.metadata.generation });
  });
});

test('waiting, failing and stalling show in the status, and only the first two are tried again', async () => {
  const calls = { waiting: 0, failing: 0, stalled: 0 };
  run(
    widgetController(async (object, pass) => {
      const name = object.metadata.name as keyof typeof calls;
      calls[name] += 1;
      if (name === 'waiting' && calls[name] < 3) throw new WaitingError('NotYet', { afterMs: 100, message: 'a little longer' });
      if (name === 'failing' && calls[name] < 3) throw new Error('password=secret');
      if (name === 'stalled' && object.spec.size === undefined) throw new StalledError('SizeMissing', { message: 'set spec.size' });
      return await sized(object, pass);
    }),
  );
  await create({ size: 1 }, 'waiting');
  await create({ size: 1 }, 'failing');
  await create({}, 'stalled');
  await eventually(async () => expect([await ready('waiting'), await ready('failing'), await ready('stalled')]).toEqual(['True/Succeeded', 'True/Succeeded', 'False/SizeMissing']));
  expect(calls).toEqual({ waiting: 3, failing: 3, stalled: 1 });
  expect(kstatus(await widget('stalled'))).toBe('Failed');
  await widgets.patch(`${namespace}/stalled`, { merge: { spec: { size: 2 } } });
  await eventually(async () => expect(kstatus(await widget('stalled'))).toBe('Current'));
});

test('an unexpected error is told without its text, which may hold a secret', async () => {
  run(
    widgetController(async () => {
      throw new Error('password=secret');
    }),
  );
  await create();
  await eventually(async () => expect(await ready()).toBe('False/ReconcileFailed'));
  const object = await widget();
  expect(JSON.stringify(object)).not.toContain('secret');
  expect(kstatus(object)).toBe('InProgress');
  expect(object.status?.observedGeneration).toBe(-1);
});

test('a pass that takes too long says so in the status', async () => {
  run(
    widgetController(
      async (_object, pass) => {
        await new Promise((resolve) => {
          pass.signal.addEventListener('abort', resolve);
        });
        pass.signal.throwIfAborted();
        return {};
      },
      { deadlineMs: 200 },
    ),
  );
  await create();
  await eventually(async () => expect(await ready()).toBe('False/DeadlineExceeded'));
});

test('the finalizer holds the object until the clean-up succeeds, and the status says why', async () => {
  let blocked = true;
  run(
    widgetController(sized, {
      finalizer: 'example.dev/widget',
      async finalize() {
        if (blocked) throw new WaitingError('StillInUse', { afterMs: 100, message: 'two executions are running' });
      },
    }),
  );
  await create({ size: 1 });
  await eventually(async () => expect(await ready()).toBe('True/Succeeded'));
  expect((await widget()).metadata.finalizers).toEqual(['example.dev/widget']);
  await widgets.delete(`${namespace}/w`);
  await eventually(async () => expect(await ready()).toBe('Unknown/StillInUse'));
  expect(kstatus(await widget())).toBe('Terminating');
  blocked = false;
  await eventually(async () => expect(await widgets.get(`${namespace}/w`)).toBeUndefined());
});

test('a suspended object is left alone, says so, and goes on when resumed', async () => {
  let passes = 0;
  run(
    widgetController(
      async (object, pass) => {
        passes += 1;
        return await sized(object, pass);
      },
      { suspended: ({ spec }) => spec.suspend === true, requestAnnotations: ['example.dev/requestedAt', 'other.dev/requestedAt'] },
    ),
  );
  await create({ size: 1, suspend: true });
  await eventually(async () => expect(findCondition(await widget(), 'Suspended')?.status).toBe('True'));
  expect([passes, (await widget()).status?.observedGeneration]).toEqual([0, 1]);
  await widgets.patch(`${namespace}/w`, { merge: { metadata: { annotations: { 'example.dev/requestedAt': 'now' } }, spec: { suspend: false } } });
  await eventually(async () => expect(await ready()).toBe('True/Succeeded'));
  expect((await widget()).status).toMatchObject({ lastHandledReconcileAt: 'now', conditions: [{ type: 'Ready' }, { type: 'Sized' }] });
});

test('a pass decides on nothing older than what the last one wrote, however late the watch is', async () => {
  const seen: number[] = [];
  run(
    widgetController(async (object, pass) => {
      const before = object.status?.seen ?? 0;
      seen.push(before);
      pass.status.seen = before + 1;
      return before < 10 ? { requeueAfterMs: 1 } : await sized(object, pass);
    }),
  );
  proxy.inject({ on: 'watch', fault: { afterEvents: 1, harm: 'silence' } });
  await eventually(() => expect(proxy.requests.some(({ traffic }) => traffic === 'watch')).toBe(true));
  await create();
  await eventually(async () => expect(await ready()).toBe('True/Succeeded'));
  expect(seen.slice(0, 11)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('a status computed from an old state does not overwrite a newer one', async () => {
  let interfere = true;
  run(
    widgetController(async (object, pass) => {
      if (interfere) {
        interfere = false;
        await widgets.patch(`${namespace}/w`, { merge: { spec: { size: 7 } } });
      }
      pass.status.seen = object.spec.size ?? 0;
      return await sized(object, pass);
    }),
  );
  await create({ size: 1 });
  await eventually(async () => expect((await widget()).status).toMatchObject({ seen: 7, observedGeneration: 2 }));
});

test('a change is not missed when finding what it affects throws', async () => {
  let failures = 3;
  run((manager) => {
    const cache = manager.cache(Widget, { namespace });
    manager.control({
      name: 'widget',
      rbac: [],
      watches: [
        watch(cache, {
          to: ({ metadata }) => {
            failures -= 1;
            if (failures >= 0) throw new Error('broken mapping');
            return [`${metadata.namespace ?? ''}/${metadata.name}`];
          },
        }),
      ],
      reconcile: objectReconciler({ manager, cache, ready: ['Sized'], reconcile: sized }),
    });
  });
  await create();
  await eventually(async () => expect(await ready()).toBe('True/Succeeded'));
});

test('events are written on transitions only, and repeats are counted', async () => {
  const { manager } = run(
    widgetController(async (object, pass) => {
      for (let i = 0; i < 5; i += 1) pass.event('Normal', 'Measured', 'measured it');
      return await sized(object, pass);
    }),
  );
  await create({ size: 1 });
  const written = async () => (await world.direct.request<{ items: { reason: string; series?: { count: number }; note: string; regarding: object }[] }>(`/apis/events.k8s.io/v1/namespaces/${namespace}/events`)).items;
  await eventually(async () => expect((await written()).map(({ reason }) => reason)).toContain('Succeeded'));
  await manager.events.close();
  const items = await written();
  expect(items.map(({ reason, series, note }) => `${reason} ${series?.count}: ${note}`).sort()).toEqual(['Measured 5: measured it', 'Succeeded undefined: size 1']);
  expect(items[0]?.regarding).toMatchObject({ kind: 'Widget', name: 'w', namespace });
});

test('metadata alone can be cached, and shared between callers with indexes of their own', async () => {
  await create({ size: 1 }, 'labelled');
  await widgets.patch(`${namespace}/labelled`, { merge: { metadata: { labels: { team: 'red' } } } });
  const { manager } = run((made) => {
    const cache = made.cache(Widget, { namespace, metadataOnly: true });
    cache.addIndex('team', ({ metadata }) => (metadata.labels?.['team'] === undefined ? [] : [metadata.labels['team']]));
  });
  const cache = manager.cache(Widget, { namespace, metadataOnly: true });
  await cache.whenSynced();
  expect(cache.byIndex('team', 'red')).toMatchObject([{ apiVersion: 'example.dev/v1', kind: 'Widget', metadata: { name: 'labelled' } }]);
  expect(cache.get(`${namespace}/labelled`)?.spec).toBeUndefined();
  await widgets.patch(`${namespace}/labelled`, { merge: { metadata: { labels: { team: 'blue' } } } });
  await eventually(() => expect(cache.keysByIndex('team', 'blue')).toEqual([`${namespace}/labelled`]));
  expect(cache.keysByIndex('team', 'red')).toEqual([]);
});

test('server-side apply: removes what we no longer want, keeps what others set, and yields when not forced', async () => {
  const ours = client(world.direct, ConfigMap, { fieldManager: 'ours' });
  const theirs = client(world.direct, ConfigMap, { fieldManager: 'theirs' });
  const metadata = { name: 'shared', namespace };
  const first = await ours.ensure({ metadata, data: { a: '1', b: '2' } }, { live: undefined });
  await theirs.apply({ metadata, data: { c: '3' } }, { force: false });
  const unchanged = await ours.ensure({ metadata, data: { a: '1', b: '2' } }, { live: await ours.get(`${namespace}/shared`) });
  expect(unchanged.metadata.annotations).toEqual(first.metadata.annotations);
  const second = await ours.ensure({ metadata, data: { a: '1' } }, { live: unchanged });
  expect(second.data).toEqual({ a: '1', c: '3' });
  await expect(theirs.apply({ metadata, data: { a: 'taken' } }, { force: false })).rejects.toMatchObject({ reason: 'Conflict' });
  expect(await ours.apply({ metadata, data: { a: 'tried' } }, { dryRun: true })).toMatchObject({ data: { a: 'tried' } });
  expect((await ours.get(`${namespace}/shared`))?.data?.['a']).toBe('1');
});

test('deletion can be bound to one object and one version', async () => {
  const maps = client(world.direct, ConfigMap, { fieldManager: 'ours' });
  const made = await maps.create({ metadata: { name: 'bound', namespace } });
  await expect(maps.delete(`${namespace}/bound`, { uid: 'another' })).rejects.toMatchObject({ reason: 'Conflict' });
  await expect(maps.delete(`${namespace}/bound`, { resourceVersion: '1' })).rejects.toMatchObject({ reason: 'Conflict' });
  expect(await maps.delete(`${namespace}/bound`, { uid: made.metadata.uid })).toBe(true);
  expect(await maps.delete(`${namespace}/bound`)).toBe(false);
  await expect(maps.create({ metadata: { name: 'UPPER', namespace } })).rejects.toMatchObject({ reason: 'Invalid', status: 422 });
});

test('a request as somebody else has that person’s rights', async () => {
  const pods = client(world.direct, Pod, { fieldManager: 'ours' });
  await expect(pods.list({ namespace, asUser: { user: 'ann', groups: ['system:authenticated'] } })).rejects.toMatchObject({ status: 403, reason: 'Forbidden', message: expect.stringContaining('ann') });
  expect((await pods.list({ namespace, asUser: { user: 'ann', groups: ['system:masters'] } })).items).toEqual([]);
});

test('a manager tells its health, its metrics and what it needs to be allowed', async () => {
  proxy.inject({ on: 'list', fault: { answer: { status: 500 } }, times: 2 });
  const { manager } = run(widgetController(sized));
  expect(manager.health()).toMatchObject({ live: true, ready: false, problems: ['the cache of widgets.example.dev is not filled yet'] });
  await eventually(() => expect(manager.health()).toEqual({ live: true, ready: true, problems: [] }));
  await create({ size: 1 });
  await eventually(async () => expect(await ready()).toBe('True/Succeeded'));
  expect(manager.rbac()).toEqual([
    { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
    { apiGroups: ['example.dev'], resources: ['widgets'], verbs: ['get', 'list', 'patch', 'watch'] },
    { apiGroups: ['example.dev'], resources: ['widgets/status'], verbs: ['patch'] },
  ]);
  const text = await manager.metrics.registry.metrics();
  for (const line of [
    'reflector_errors_total{resource="widgets.example.dev",reason="InternalError"} 2',
    'cache_objects{resource="widgets.example.dev"} 1',
    'workqueue_depth{name="widget"} 0',
    'rest_client_requests_total{method="PATCH",code="200"}',
  ]) {
    expect(text).toContain(line);
  }
});
