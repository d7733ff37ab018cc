import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { Informer, systemClock } from '../../operator/kube/index.ts';
import { silentLog } from '../../operator/kube/log.ts';
import { eventually } from '../eventually.ts';
import { Widget } from './kube-widget.ts';
import { ballast, startKubeWorker, type KubeWorker } from './kube-worker-process.ts';
import { startKubeWorld, type KubeWorld } from './kube-world.ts';

/** Widgets of about 6 KB; 10000 for the full measurement. */
const SCALE = Number(process.env['KUBE_SCALE'] ?? 1000);

jest.setTimeout(600_000);

let world: KubeWorld;
let namespace: string;
let workers: KubeWorker[];

beforeAll(async () => {
  world = await startKubeWorld();
}, 600_000);

afterAll(() => world.stop());

beforeEach(async () => {
  workers = [];
  namespace = await world.newNamespace();
});

afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.end()));
});

function startWorker(): KubeWorker {
  const worker = startKubeWorker(world.plane.kubeconfig, namespace);
  workers.push(worker);
  return worker;
}

function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

test(`${SCALE} objects: a start writes nothing, takes little memory, and a change is seen and written at once`, async () => {
  const { widgets, direct } = world;
  const names = Array.from({ length: SCALE }, (_, i) => `w${i}`);
  const bytes = Buffer.byteLength(JSON.stringify(await widgets.create({ metadata: { name: 'first', namespace }, spec: { size: 0, ballast: ballast(0) } })));
  await inParallel(names, 24, async (name, i) => void (await widgets.create({ metadata: { name, namespace }, spec: { size: i, ballast: ballast(i) } })));
  const first = startWorker();
  await eventually(async () => expect((await first.sample()).writes).toBeGreaterThan(SCALE), { withinMs: 60_000 + SCALE * 50, everyMs: 1000 });
  await eventually(async () => {
    const { items } = await widgets.list({ namespace });
    expect(items.filter(({ spec, status }) => status?.seen !== spec.size).length).toBe(0);
  });
  await first.end();

  const worker = startWorker();
  const settled = await eventually(
    async () => {
      const now = await worker.sample();
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
