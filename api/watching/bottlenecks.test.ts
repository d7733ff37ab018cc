import { expect, test } from '@jest/globals';
import type { DatabaseLoad } from '../../store/database-load.ts';
import type { PoolLoad } from '../../store/load-meter.ts';
import type { PoolSizeRecord } from '../../store/pool-sizes.ts';
import { bottlenecks } from './bottlenecks.ts';
import type { PoolSituation, Situation } from './bottlenecks.ts';
import type { NodeTime } from './node-times.ts';

const quiet: PoolLoad = { ready: 0, oldestWaitMs: 0, running: 0, arrivalsPerSecond: 0, endsPerSecond: 0, serviceMs: 100, runners: 2 };
const busy: Partial<PoolLoad> = { ready: 500, oldestWaitMs: 20_000, running: 80 };
const size: PoolSizeRecord = { pool: 'batch', mode: 'Queue', desired: 2, minReplicas: 1, maxReplicas: 10, targetWaitMs: 10_000 };
const pool = (load: Partial<PoolLoad> = {}, change: Partial<PoolSituation> = {}): PoolSituation => ({ name: 'batch', slots: 80, blocked: 0, paused: false, size, ...change, load: { ...quiet, ...load } });
const database = (change: Partial<DatabaseLoad> = {}): DatabaseLoad => ({ active: 1, waiting: [], connections: 20, maxConnections: 100, ...change });
const call: NodeTime = { pool: 'batch', namespace: 'shop', workflow: 'orders', node: 'Call', type: 'httpRequest', host: 'slow.example', runs: 30, meanMs: 2500, share: 0.8 };
const kinds = (situation: Partial<Situation>) => bottlenecks({ pools: [], database: [database()], nodes: [], ...situation }).map(({ kind }) => kind);

test.each<{ name: string; when: Partial<Situation>; want: string[] }>([
  { name: 'nothing waits', when: { pools: [pool({ running: 80 })] }, want: [] },
  { name: 'what waits has only just come', when: { pools: [pool({ ready: 3, oldestWaitMs: 300 })] }, want: [] },
  { name: 'the pool is paused', when: { pools: [pool(busy, { paused: true })] }, want: ['PoolPaused'] },
  { name: 'there is no such pool', when: { pools: [{ name: 'gone', load: { ...quiet, ready: 1, runners: 0 }, slots: 0, blocked: 0, paused: false }] }, want: ['NoPool'] },
  { name: 'executions that wait for pods of their own', when: { pools: [{ name: 'batch+pod', load: { ...quiet, ready: 9, running: 20, oldestWaitMs: 9000, runners: 20 }, slots: 20, blocked: 0, paused: false }] }, want: ['IsolatedPods'] },
  { name: 'a pool of no runners', when: { pools: [pool({ ready: 1, runners: 0 }, { slots: 0, size: { ...size, mode: 'Fixed', desired: 0 } })] }, want: ['NoRunners'] },
  { name: 'a pool at zero that starts', when: { pools: [pool({ ready: 1, runners: 0 }, { slots: 0, size: { ...size, desired: 1 } })] }, want: ['RunnersStarting'] },
  { name: 'pods do not come up', when: { pools: [pool({ ...busy, runners: 1, running: 40 }, { slots: 40, size: { ...size, desired: 4 } })] }, want: ['RunnersStarting'] },
  { name: 'at maxReplicas, held by a slow host', when: { pools: [pool(busy, { size: { ...size, maxReplicas: 2 } })], nodes: [call] }, want: ['MaxReplicas', 'SlowNode'] },
  { name: 'a fixed size', when: { pools: [pool(busy, { size: { ...size, mode: 'Fixed' } })] }, want: ['FixedReplicas'] },
  { name: 'about to grow', when: { pools: [pool(busy)] }, want: ['ScalingUp'] },
  { name: 'free slots, and nothing starts', when: { pools: [pool({ ...busy, running: 10 })] }, want: ['NotClaimed'] },
  { name: 'free slots, because PostgreSQL waits for its disk', when: { pools: [pool({ ...busy, running: 10 })], database: [database({ active: 6, waiting: [{ event: 'IO/WalSync', count: 5 }] })] }, want: ['DatabaseDisk'] },
  { name: 'locks', when: { database: [database({ active: 6, waiting: [{ event: 'Lock/transactionid', count: 3 }, { event: 'LWLock/WALWrite', count: 1 }] })] }, want: ['DatabaseLocks'] },
  { name: 'one look that was bad among many that were not', when: { database: [...Array.from({ length: 9 }, () => database()), database({ active: 6, waiting: [{ event: 'IO/WalSync', count: 5 }] })] }, want: [] },
  { name: 'processors of PostgreSQL', when: { database: [database({ active: 12 })] }, want: ['DatabaseBusy'] },
  { name: 'connections', when: { database: [database({ connections: 95 })] }, want: ['DatabaseConnections'] },
  { name: 'limits of workflows', when: { pools: [pool({}, { blocked: 12 })] }, want: ['WorkflowLimits'] },
])('$name', ({ when, want }) => {
  expect(kinds(when)).toEqual(want);
});

test('says what is seen and what to do', () => {
  const [first, second] = bottlenecks({ pools: [pool(busy, { size: { ...size, maxReplicas: 2 } })], database: [], nodes: [call] });
  expect(first).toEqual({
    kind: 'MaxReplicas', pool: 'batch', message: '500 executions wait, the next one for 20.0 s; all 80 slots of 2 runners are taken, and maxReplicas is 2',
    advice: 'raise maxReplicas, or spec.concurrency if its processors are not busy',
  });
  expect(second?.message).toBe('slow.example, called by node Call of shop/orders, takes 80 % of the time of recent executions, 2.50 s each time');
});
