import type { DatabaseLoad } from '../../store/database-load.ts';
import type { PoolLoad } from '../../store/load-meter.ts';
import { isIsolated } from '../../store/pool-name.ts';
import type { PoolSizeRecord } from '../../store/pool-sizes.ts';
import type { NodeTime } from './node-times.ts';

/** A pool as it is now. */
export interface PoolSituation {
  name: string;
  load: PoolLoad;
  /** Executions that runners can run at the same time. */
  slots: number;
  /** Executions that wait for a limit of their workflow. */
  blocked: number;
  paused: boolean;
  /** Absent: there is no RunnerPool of this name, or the operator has not spoken of it yet. */
  size?: PoolSizeRecord;
}

export interface Situation {
  pools: readonly PoolSituation[];
  /** The last looks at the database, which change from moment to moment. */
  database: readonly DatabaseLoad[];
  /** Where executions spent their time lately, most first. */
  nodes: readonly NodeTime[];
}

export const BottleneckKind = {
  PoolPaused: 'PoolPaused',
  NoPool: 'NoPool',
  NoRunners: 'NoRunners',
  RunnersStarting: 'RunnersStarting',
  MaxReplicas: 'MaxReplicas',
  FixedReplicas: 'FixedReplicas',
  ScalingUp: 'ScalingUp',
  NotClaimed: 'NotClaimed',
  IsolatedPods: 'IsolatedPods',
  WorkflowLimits: 'WorkflowLimits',
  SlowNode: 'SlowNode',
  DatabaseLocks: 'DatabaseLocks',
  DatabaseDisk: 'DatabaseDisk',
  DatabaseBusy: 'DatabaseBusy',
  DatabaseConnections: 'DatabaseConnections',
} as const;
export type BottleneckKind = (typeof BottleneckKind)[keyof typeof BottleneckKind];

/** One thing that limits throughput now, and what to do about it. */
export interface Bottleneck {
  kind: BottleneckKind;
  pool?: string;
  /** What is seen, with figures. */
  message: string;
  advice: string;
}

/** Work is claimed within a second or two; what is ready for longer waits for something. */
const WAITS_MS = 2500;
/** Runners are full when this share of their slots is taken. */
const FULL = 0.9;
/** A node that holds at least this share of a full pool's slots is worth naming. */
const SLOW_SHARE = 0.3;
/** Sessions that wait inside PostgreSQL, on average, from which on it counts. */
const WAITING_SESSIONS = 2;
const BUSY_SESSIONS = 8;
const NEARLY_ALL = 0.9;

/** What limits throughput now, the most direct cause first. Empty: nothing does. */
export function bottlenecks({ pools, database, nodes }: Situation): Bottleneck[] {
  const ofDatabase = databaseBottlenecks(database);
  return [...pools.flatMap((pool) => poolBottlenecks(pool, { nodes, isDatabaseBusy: ofDatabase.length > 0 })), ...ofDatabase];
}

function poolBottlenecks(pool: PoolSituation, about: { nodes: readonly NodeTime[]; isDatabaseBusy: boolean }): Bottleneck[] {
  const { name, blocked, load } = pool;
  const limits: Bottleneck[] = blocked === 0 ? [] : [{
    kind: BottleneckKind.WorkflowLimits, pool: name, message: `${blocked} executions wait for the concurrency limit of their workflow`,
    advice: 'raise settings.concurrency.max of the workflow, or give it a key, so that only executions of the same group wait for each other',
  }];
  if (load.ready === 0) return limits;
  if (pool.paused) {
    return [{
      kind: BottleneckKind.PoolPaused, pool: name, message: `the pool is paused while ${load.ready} executions wait`,
      advice: `millrace pool resume ${name}, or set spec.paused of the RunnerPool to false`,
    }, ...limits];
  }
  if (load.oldestWaitMs < WAITS_MS && load.runners > 0) return limits;
  const first = waitingFor(pool, about.isDatabaseBusy);
  return [...(first === undefined ? [] : [first]), ...slowNodes(pool, about.nodes), ...limits];
}

/** Why ready work of a pool does not start. Undefined: PostgreSQL is the reason, which is told for all pools at once. */
function waitingFor(pool: PoolSituation, isDatabaseBusy: boolean): Bottleneck | undefined {
  const { name, load, slots, size } = pool;
  const wait = `${load.ready} executions wait, the next one for ${(load.oldestWaitMs / 1000).toFixed(1)} s`;
  const of = (kind: BottleneckKind, message: string, advice: string): Bottleneck => ({ kind, pool: name, message: `${wait}; ${message}`, advice });
  if (isIsolated(name)) {
    return of(BottleneckKind.IsolatedPods, `${load.running} run in pods of their own`,
      'raise runner.isolatedPods of the chart if so many are there; if not, look at the pods: kubectl describe pods -l millrace.dev/execution');
  }
  if (!size) {
    if (load.runners > 0) return undefined;
    return of(BottleneckKind.NoPool, 'there is no RunnerPool of this name', `create RunnerPool ${name}, or name another one in settings.runnerPool of the workflows`);
  }
  if (size.desired === 0 && size.mode !== 'Queue') {
    return of(BottleneckKind.NoRunners, 'the pool has no runners', size.mode === 'Fixed' ? 'set spec.replicas, or give the pool spec.scaling' : 'look at the autoscaler that sets spec.replicas');
  }
  if (load.runners < size.desired || load.runners === 0) {
    return of(BottleneckKind.RunnersStarting, `${load.runners} of ${Math.max(1, size.desired)} runners take work`,
      `if it stays so, look at the pods: kubectl describe pods -l millrace.dev/runner-pool=${name}`);
  }
  if (load.running >= FULL * slots) return fullPool(size, of, `all ${slots} slots of ${load.runners} runners are taken`);
  if (isDatabaseBusy) return undefined;
  return of(BottleneckKind.NotClaimed, `only ${load.running} of ${slots} slots are taken`,
    'look at quotas of the pool and of namespaces (spec.quota), and at the logs of the runners');
}

function fullPool(size: PoolSizeRecord, of: (kind: BottleneckKind, message: string, advice: string) => Bottleneck, taken: string): Bottleneck {
  if (size.mode === 'Fixed') return of(BottleneckKind.FixedReplicas, taken, 'raise spec.replicas, give the pool spec.scaling, or raise spec.concurrency if its processors are not busy');
  if (size.desired >= size.maxReplicas) {
    return of(BottleneckKind.MaxReplicas, `${taken}, and maxReplicas is ${size.maxReplicas}`, 'raise maxReplicas, or spec.concurrency if its processors are not busy');
  }
  return of(BottleneckKind.ScalingUp, taken, size.mode === 'Queue' ? 'the pool grows when the target wait asks for it; lower targetWaitSeconds to have it sooner' : 'look at the autoscaler that sets spec.replicas');
}

function slowNodes({ name, load, slots }: PoolSituation, nodes: readonly NodeTime[]): Bottleneck[] {
  if (slots === 0 || load.running < FULL * slots) return [];
  const slowest = nodes.find(({ pool }) => pool === name);
  if (!slowest || slowest.share < SLOW_SHARE) return [];
  const { namespace, workflow, node, type, host, meanMs, share } = slowest;
  const whose = host === undefined ? `node ${node} (${type}) of ${namespace}/${workflow}` : `${host}, called by node ${node} of ${namespace}/${workflow},`;
  return [{
    kind: BottleneckKind.SlowNode, pool: name, message: `${whose} takes ${Math.round(share * 100)} % of the time of recent executions, ${(meanMs / 1000).toFixed(2)} s each time`,
    advice: host === undefined ? 'make the node cheaper, or move the workflow to a pool of its own' : 'have the other side answer faster, call it for many items at once, or move the workflow to a pool of its own with more concurrency',
  }];
}

function databaseBottlenecks(looks: readonly DatabaseLoad[]): Bottleneck[] {
  const last = looks.at(-1);
  if (!last) return [];
  const mean = (read: (look: DatabaseLoad) => number): number => looks.reduce((sum, look) => sum + read(look), 0) / looks.length;
  const waitingFor = (type: RegExp): number => mean(({ waiting }) => waiting.reduce((sum, { event, count }) => sum + (type.test(event) ? count : 0), 0));
  const found: Bottleneck[] = [];
  const add = (kind: BottleneckKind, message: string, advice: string): void => { found.push({ kind, message, advice }); };
  const top = last.waiting[0]?.event ?? 'nothing in particular';
  const locks = waitingFor(/^(Lock|LWLock)\//);
  const disk = waitingFor(/^IO\//);
  if (locks >= WAITING_SESSIONS) add(BottleneckKind.DatabaseLocks, `${locks.toFixed(1)} sessions of PostgreSQL wait for locks, now mostly for ${top}`, 'run fewer and larger runners, or split the load over several installations');
  if (disk >= WAITING_SESSIONS) add(BottleneckKind.DatabaseDisk, `${disk.toFixed(1)} sessions of PostgreSQL wait for its disk, now mostly for ${top}`, 'give PostgreSQL a faster disk; save less with settings.save');
  const active = mean((look) => look.active);
  if (found.length === 0 && active >= BUSY_SESSIONS) add(BottleneckKind.DatabaseBusy, `${active.toFixed(1)} sessions of PostgreSQL compute at the same time`, 'give PostgreSQL more processors');
  if (last.connections >= NEARLY_ALL * last.maxConnections) {
    add(BottleneckKind.DatabaseConnections, `${last.connections} of ${last.maxConnections} connections of PostgreSQL are used`, 'raise max_connections, or lower the connections of api and runners');
  }
  return found;
}
