import type { ScaleDecision } from '../../../crds/pool-scaling.ts';
import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import { StoreError } from '../../../store/error.ts';
import type { PoolSizeRecord } from '../../../store/pool-sizes.ts';
import type { PoolStats, RunnerReport } from '../../../store/queue.ts';
import { timestamp } from '../../kube/clock.ts';
import type { Clock } from '../../kube/clock.ts';
import type { Mark } from '../../kube/conditions.ts';
import { StalledError } from '../../kube/index.ts';
import type { Key } from '../../kube/index.ts';
import type { RunnerPool } from '../resources.ts';
import { slotsOf } from './deployment.ts';
import { decide } from './scaling/decide.ts';
import type { ScalingMemory, ScalingPolicy } from './scaling/decide.ts';
import { LoadMeter } from '../../../store/load-meter.ts';
import { policyAt } from './scaling/policy.ts';
import { isTimezone } from './scaling/schedule-window.ts';

/** The size a pool should have now. */
export interface PoolSize {
  replicas: number;
  bounds: Omit<PoolSizeRecord, 'pool' | 'desired' | 'change'>;
  /** Conditions about the scaling; none for a pool of fixed size. */
  marks: Record<string, Mark>;
  /** When to ask again; absent: when the pool changes. */
  againMs?: number;
  /** The last change that the scaling of this process made. */
  lastChange?: ScaleDecision;
  /** What the runners said of themselves, for choosing those that go. */
  reports: readonly RunnerReport[];
}

/** How often the queue is looked at: while there is work, and while there is none, when a notification comes first. */
const LOOK_MS = { busy: 2000, idle: 5000 };
/** Bounds by schedules change on full minutes. */
const SCHEDULE_MS = 20_000;

interface PoolState {
  meter: LoadMeter;
  memory?: ScalingMemory;
  lastChange?: ScaleDecision;
}

/** Sizes of all pools. What it remembers of a pool makes scaling down patient; a new process starts with the size it finds. */
export class PoolSizes {
  readonly #stats: (pool: string) => Promise<PoolStats>;
  readonly #clock: Clock;
  readonly #pools = new Map<Key, PoolState>();

  constructor(stats: (pool: string) => Promise<PoolStats>, clock: Clock) {
    this.#stats = stats;
    this.#clock = clock;
  }

  forget(key: Key): void {
    this.#pools.delete(key);
  }

  /** `current`: runners that are asked for now; undefined for a pool that has none yet. Throws StalledError for a timezone nobody knows. */
  async sizeOf(key: Key, { spec, metadata }: RunnerPool, current: number | undefined): Promise<PoolSize> {
    const { scaling } = spec;
    if (!scaling) return fixedSize(spec.replicas ?? 1);
    const unknown = scaling.schedules?.find(({ timezone }) => timezone !== undefined && !isTimezone(timezone));
    if (unknown) throw new StalledError('TimezoneUnknown', { message: `${unknown.timezone} is no timezone: write one of the IANA database, such as Europe/Berlin` });
    const policy = policyAt(scaling, this.#clock.now());
    if (scaling.mode === 'External') return externalSize(spec, policy);
    let stats: PoolStats;
    try {
      stats = await this.#stats(metadata.name);
    } catch (err) {
      if (!(err instanceof StoreError)) throw err;
      return {
        replicas: current ?? policy.minReplicas, bounds: boundsOf('Queue', policy), againMs: LOOK_MS.idle, reports: [],
        marks: { ScalingActive: { status: 'False', reason: 'QueueUnknown', message: 'the database does not answer, so the size stays as it is' } },
      };
    }
    // Nobody takes what waits in a paused pool: it is no reason for runners.
    if (stats.paused) stats = { ...stats, ready: 0, oldestReadyMs: 0 };
    return this.#queueSize(key, { stats, policy: withQuota(policy, spec), current: current ?? policy.minReplicas, slotsPerRunner: slotsOf(spec) });
  }

  #queueSize(key: Key, { stats, policy, current, slotsPerRunner }: { stats: PoolStats; policy: ScalingPolicy; current: number; slotsPerRunner: number }): PoolSize {
    const state = this.#pools.get(key) ?? { meter: new LoadMeter() };
    this.#pools.set(key, state);
    const now = this.#clock.monotonic();
    const load = state.meter.add(now, stats);
    const { replicas, reason, message, limitedFrom, memory } = decide({ now, load, policy, replicas: current, slotsPerRunner, ...(state.memory && { memory: state.memory }) });
    state.memory = memory;
    if (replicas !== current) state.lastChange = { time: timestamp(this.#clock.now()), from: current, to: replicas, reason, message };
    const isBusy = stats.ready > 0 || stats.running > 0;
    return {
      replicas, bounds: boundsOf('Queue', policy), reports: stats.reports, againMs: isBusy ? LOOK_MS.busy : LOOK_MS.idle,
      ...(state.lastChange && { lastChange: state.lastChange }),
      marks: {
        ScalingActive: { status: 'True', reason: 'FollowsQueue', message: 'the number of runners follows the queue' },
        ScalingLimited: limitedFrom === undefined
          ? { status: 'False', reason: 'WithinBounds', message: 'maxReplicas and quota allow what the load needs' }
          : { status: 'True', reason: 'TooManyReplicas', message: `the load needs more than the ${policy.maxReplicas} runners that maxReplicas and quota allow` },
      },
    };
  }
}

function fixedSize(replicas: number): PoolSize {
  return { replicas, bounds: { mode: 'Fixed', minReplicas: replicas, maxReplicas: replicas }, marks: {}, reports: [] };
}

/** Runners whose slots the quota leaves empty are of no use. */
function withQuota(policy: ScalingPolicy, spec: RunnerPoolSpec): ScalingPolicy {
  const { maxRunning } = spec.quota ?? {};
  if (maxRunning === undefined) return policy;
  return { ...policy, maxReplicas: Math.max(policy.minReplicas, Math.min(policy.maxReplicas, Math.ceil(maxRunning / slotsOf(spec)))) };
}

function boundsOf(mode: PoolSizeRecord['mode'], { minReplicas, maxReplicas, targetWaitMs }: ScalingPolicy): PoolSize['bounds'] {
  return { mode, minReplicas, maxReplicas, targetWaitMs };
}

function externalSize({ replicas, scaling }: RunnerPoolSpec, { minReplicas, maxReplicas }: ScalingPolicy): PoolSize {
  return {
    replicas: Math.min(maxReplicas, Math.max(minReplicas, replicas ?? minReplicas)), reports: [],
    bounds: { mode: 'External', minReplicas, maxReplicas },
    ...(scaling?.schedules === undefined ? {} : { againMs: SCHEDULE_MS }),
    marks: { ScalingActive: { status: 'True', reason: 'FollowsReplicas', message: 'an autoscaler sets spec.replicas through the scale subresource' } },
  };
}
