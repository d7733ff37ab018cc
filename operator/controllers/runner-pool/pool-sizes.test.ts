import { expect, test } from '@jest/globals';
import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import { StoreError, StoreReason } from '../../../store/error.ts';
import type { PoolStats } from '../../../store/queue.ts';
import { manualClock } from '../../kube/manual-clock.ts';
import type { RunnerPool } from '../resources.ts';
import { PoolRecords } from './pool-records.ts';
import { PoolSizes } from './pool-sizes.ts';

const pool = (spec: RunnerPoolSpec): RunnerPool => ({ apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name: 'batch', namespace: 'millrace' }, spec });
const idle: PoolStats = { ready: 0, delayed: 0, blocked: 0, paused: false, running: 0, oldestReadyMs: 0, runners: 0, reports: [] };
const KEY = 'millrace/batch';

function sizes(stats: Partial<PoolStats> | StoreError) {
  const clock = manualClock();
  const answer = () => (stats instanceof StoreError ? Promise.reject(stats) : Promise.resolve({ ...idle, ...stats }));
  return { clock, of: (spec: RunnerPoolSpec, current?: number) => new PoolSizes(answer, clock).sizeOf(KEY, pool(spec), current) };
}

test('a pool of fixed size asks nobody', async () => {
  const { of } = sizes(new StoreError(StoreReason.StoreUnavailable, 'away'));
  expect(await of({})).toMatchObject({ replicas: 1, marks: {}, bounds: { mode: 'Fixed' } });
  expect(await of({ replicas: 0 })).toMatchObject({ replicas: 0 });
});

test('the queue decides, within the bounds, and says why', async () => {
  const { of } = sizes({ ready: 5000 });
  const size = await of({ concurrency: 10, executors: 2, scaling: { minReplicas: 1, maxReplicas: 7 } }, 2);
  expect(size).toMatchObject({
    replicas: 7, againMs: 2000, bounds: { mode: 'Queue', minReplicas: 1, maxReplicas: 7, targetWaitMs: 10_000 },
    lastChange: { from: 2, to: 7, reason: 'Bounds', message: expect.stringContaining('5000 wait') },
    marks: { ScalingActive: { status: 'True' }, ScalingLimited: { status: 'True', reason: 'TooManyReplicas' } },
  });
});

test('a quota makes more runners useless', async () => {
  const spec = { concurrency: 10, quota: { maxRunning: 25 }, scaling: { minReplicas: 1, maxReplicas: 7 } };
  expect(await sizes({ ready: 5000 }).of(spec, 1)).toMatchObject({ replicas: 3 });
});

test('nothing to do: it looks less often', async () => {
  expect(await sizes({}).of({ scaling: {} }, 1)).toMatchObject({ replicas: 1, againMs: 5000, marks: { ScalingLimited: { status: 'False' } } });
});

test('what waits in a paused pool is no reason for runners', async () => {
  expect(await sizes({ ready: 5000, paused: true }).of({ scaling: { minReplicas: 0 } }, 0)).toMatchObject({ replicas: 0 });
});

test.each([{ current: 4, want: 4 }, { current: undefined, want: 2 }])('a database that is away leaves the size $current at $want', async ({ current, want }) => {
  const { of } = sizes(new StoreError(StoreReason.StoreUnavailable, 'away'));
  expect(await of({ scaling: { minReplicas: 2 } }, current)).toMatchObject({ replicas: want, againMs: 5000, marks: { ScalingActive: { status: 'False', reason: 'QueueUnknown' } } });
});

test('an autoscaler decides within bounds, which schedules may change', async () => {
  const { of } = sizes({});
  expect(await of({ replicas: 9, scaling: { mode: 'External', maxReplicas: 3 } })).toMatchObject({ replicas: 3, bounds: { mode: 'External' } });
  expect(await of({ scaling: { mode: 'External', schedules: [{ from: '00:00', to: '00:00', minReplicas: 4 }] } })).toMatchObject({ replicas: 4, againMs: 20_000 });
});

test('what a pool says of itself is written once, and again when the database did not take it', async () => {
  const written: unknown[] = [];
  let isAway = true;
  const write = (value: unknown) => {
    if (isAway) throw new StoreError(StoreReason.StoreUnavailable, 'away');
    written.push(value);
  };
  const none = () => Promise.reject(new Error('not asked'));
  const records = new PoolRecords({
    pools: { apply: async (_name, rules) => { write(rules); return true; }, hold: none, get: none, list: none },
    poolSizes: { put: async (record) => write(record), remove: async (name) => write(name), list: none },
  });
  const spec: RunnerPoolSpec = { paused: true };
  const size = await sizes({}).of(spec);
  expect(await records.put('batch', spec, size)).toBe(false);
  isAway = false;
  expect([await records.put('batch', spec, size), await records.put('batch', spec, size)]).toEqual([true, true]);
  expect(written).toEqual([expect.objectContaining({ paused: true }), { paused: true }, { pool: 'batch', mode: 'Fixed', desired: 1, minReplicas: 1, maxReplicas: 1 }]);
  expect(await records.remove('batch')).toBe(true);
  expect(written.slice(3)).toEqual([{}, {}, 'batch']);
});
