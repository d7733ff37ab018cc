import type { PoolLoad } from '../../../../store/load-meter.ts';

/** What a pool's scaling is held to at one moment. */
export interface ScalingPolicy {
  minReplicas: number;
  maxReplicas: number;
  /** An execution that is ready should start within so long. */
  targetWaitMs: number;
  /** A size is given up once less has been enough for so long. */
  stabilizationMs: number;
}

export const ScaleReason = {
  /** More is needed for the load, or to start within the target what waits. */
  LoadRose: 'LoadRose',
  /** Executions have waited for long although the runners are busy as planned. */
  WaitOverTarget: 'WaitOverTarget',
  /** There was nothing, and now there is. */
  FirstWork: 'FirstWork',
  LoadFell: 'LoadFell',
  /** Nothing to do for the whole stabilisation window. */
  Idle: 'Idle',
  /** minReplicas or maxReplicas, by the spec or a schedule. */
  Bounds: 'Bounds',
  Steady: 'Steady',
  /** Executions wait although slots are free: more runners would not help. */
  Blocked: 'Blocked',
} as const;
export type ScaleReason = (typeof ScaleReason)[keyof typeof ScaleReason];

/** What one decision has to know of those before it. */
export interface ScalingMemory {
  /** Sizes that were enough, falling, with the time at which each was needed last. */
  enough: readonly { at: number; replicas: number }[];
  /** When the size was last raised, and when it was lowered. */
  raisedAt: number;
  loweredAt: number;
}

export interface ScalingInput {
  /** Monotonic milliseconds. */
  now: number;
  load: PoolLoad;
  policy: ScalingPolicy;
  /** Runners that are asked for now, whether they have started or not. */
  replicas: number;
  slotsPerRunner: number;
  /** Absent: the first decision. */
  memory?: ScalingMemory;
}

export interface Decision {
  replicas: number;
  reason: ScaleReason;
  /** For people: why. */
  message: string;
  /** What the load asks for beyond maxReplicas; absent within the bounds. */
  limitedFrom?: number;
  memory: ScalingMemory;
}

/** A size is raised when its slots would be busier than this, and given up only when the smaller one's would be less busy than that. */
const BUSY = { raise: 0.85, keep: 0.7 };
/** Assumed for executions of which none has ended yet. */
const UNKNOWN_SERVICE_MS = 1000;
/** Runners are full when this share of their slots is taken. */
const FULL = 0.9;
/** An idle runner takes what is ready within a second or two. */
const CLAIM_MS = 3000;
/** Going down takes few steps, not one for each execution less. */
const LOWER_EVERY_MS = 15_000;

/**
 * How many runners a pool should have. Little's law gives the slots for what arrives (rate times service time); what waits already gets as
 * many more as start it within the target. Up at once; down to the largest size that was needed during the stabilisation window. The two
 * thresholds of `BUSY` keep it from going up and down around one size.
 */
export function decide(input: ScalingInput): Decision {
  const { now, policy, replicas, memory = { enough: [{ at: now, replicas }], raisedAt: -Infinity, loweredAt: -Infinity } } = input;
  const need = needOf(input);
  const since = now - policy.stabilizationMs;
  const enough = remember(memory.enough, { at: now, replicas: need.keep }, since);
  const kept = enough[0]?.replicas ?? need.keep;
  const wanted = wantedOf(input, need, { kept, memory });
  const bounded = Math.min(policy.maxReplicas, Math.max(policy.minReplicas, wanted.replicas));
  const reason = bounded === wanted.replicas || bounded === replicas ? wanted.reason : ScaleReason.Bounds;
  return {
    replicas: bounded,
    reason: bounded === replicas && reason !== ScaleReason.Blocked ? ScaleReason.Steady : reason,
    message: messageOf(input, { bounded, wanted: wanted.replicas, reason }),
    ...(Math.max(need.raise, kept) > policy.maxReplicas ? { limitedFrom: Math.max(need.raise, kept) } : {}),
    // What was raised is needed, whatever for: it is not lowered before the window is over.
    memory: { enough: bounded > replicas ? remember(enough, { at: now, replicas: bounded }, since) : enough, raisedAt: bounded > replicas ? now : memory.raisedAt, loweredAt: bounded < replicas ? now : memory.loweredAt },
  };
}

interface Need {
  /** Fewer than this are too few. */
  raise: number;
  /** More than this are too many. */
  keep: number;
}

function needOf({ load, policy, slotsPerRunner }: ScalingInput): Need {
  const { ready, running, arrivalsPerSecond, oldestWaitMs, serviceMs = UNKNOWN_SERVICE_MS } = load;
  const arriving = arrivalsPerSecond * policy.targetWaitMs / 1000;
  const steady = arrivalsPerSecond * serviceMs / 1000;
  // Short executions: a slot serves many of them within the target. Long ones: a slot that is taken stays so, mostly.
  const turns = Math.max(policy.targetWaitMs / 2, policy.targetWaitMs - oldestWaitMs) / serviceMs;
  const starting = turns >= 1 ? steady + ready / turns : running * (1 - turns) + ready + arriving;
  const most = running + ready + arriving;
  const runners = (slots: number): number => Math.ceil(Math.min(slots, Math.max(most, steady)) / slotsPerRunner - 1e-9);
  return { raise: runners(Math.max(steady / BUSY.raise, starting)), keep: runners(Math.max(steady / BUSY.keep, starting, running)) };
}

/** Keeps, of the sizes within the window, those that no later one reaches: the first is the largest. */
function remember(enough: ScalingMemory['enough'], latest: { at: number; replicas: number }, since: number): ScalingMemory['enough'] {
  return [...enough.filter(({ at, replicas }) => at > since && replicas > latest.replicas), latest];
}

function wantedOf(input: ScalingInput, { raise }: Need, { kept, memory }: { kept: number; memory: ScalingMemory }): { replicas: number; reason: ScaleReason } {
  const { load, replicas, policy, now } = input;
  const freeOf = load.runners * input.slotsPerRunner - load.running;
  const areAllThere = load.runners >= replicas && replicas > 0;
  if (raise > replicas) {
    const isBlocked = areAllThere && load.oldestWaitMs > Math.max(policy.targetWaitMs, CLAIM_MS) && freeOf > (1 - FULL) * load.runners * input.slotsPerRunner;
    if (isBlocked) return { replicas, reason: ScaleReason.Blocked };
    return { replicas: raise, reason: replicas === 0 ? ScaleReason.FirstWork : ScaleReason.LoadRose };
  }
  const isLate = areAllThere && load.oldestWaitMs > 2 * policy.targetWaitMs && now - memory.raisedAt > Math.max(policy.targetWaitMs, CLAIM_MS);
  if (isLate && freeOf <= (1 - FULL) * load.runners * input.slotsPerRunner) return { replicas: replicas + Math.ceil(replicas / 2), reason: ScaleReason.WaitOverTarget };
  if (kept < replicas && now - memory.loweredAt >= LOWER_EVERY_MS) return { replicas: kept, reason: kept === 0 ? ScaleReason.Idle : ScaleReason.LoadFell };
  return { replicas, reason: ScaleReason.Steady };
}

function messageOf({ load, policy, replicas, slotsPerRunner }: ScalingInput, { bounded, wanted, reason }: { bounded: number; wanted: number; reason: ScaleReason }): string {
  const { ready, running, oldestWaitMs, arrivalsPerSecond, serviceMs } = load;
  const service = serviceMs === undefined ? 'none has ended yet' : `each holds a slot for ${secondsText(serviceMs)}`;
  const state = `${ready} wait (the next for ${secondsText(oldestWaitMs)}), ${running} run on ${load.runners} of ${replicas} runners with ${slotsPerRunner} slots each, ${rateText(arrivalsPerSecond)} arrive per second, ${service}; target wait ${secondsText(policy.targetWaitMs)}`;
  if (reason === ScaleReason.Blocked) return `${state}; slots are free, so something else than runners holds the executions back`;
  if (bounded !== wanted) return `${state}; ${wanted} runners would be needed, but ${wanted > bounded ? `at most ${policy.maxReplicas}` : `at least ${policy.minReplicas}`} are allowed`;
  if (reason === ScaleReason.LoadFell || reason === ScaleReason.Idle) return `${state}; ${bounded} were enough for ${secondsText(policy.stabilizationMs)}`;
  return state;
}

function secondsText(ms: number): string {
  return ms < 100 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toPrecision(2))} s`;
}

function rateText(rate: number): string {
  return String(Number(rate.toPrecision(2)));
}
