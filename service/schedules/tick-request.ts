import { createHash } from 'node:crypto';
import { ExecutionMode } from '../../runner/engine/node-run.ts';
import type { Schedule } from '../../runner/nodes/schedule-trigger/schedule.ts';
import { tickItem } from '../../runner/nodes/schedule-trigger/tick-item.ts';
import { type Ticks, ticksOf } from '../../runner/nodes/schedule-trigger/ticks.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import type { StoredSchedule } from '../../store/schedules.ts';

/** The schedule as the operator read and checked it before it was stored. */
export function specOf({ spec }: Pick<StoredSchedule, 'spec'>): Schedule {
  return spec as Schedule;
}

export function ticksOfStored(stored: Pick<StoredSchedule, 'spec' | 'anchor'>): Ticks {
  return ticksOf(specOf(stored), stored.anchor);
}

/** A schedule's own share of its jitter: always the same, so that its ticks stay evenly apart. Milliseconds. */
export function jitterOf(stored: Pick<StoredSchedule, 'namespace' | 'workflow' | 'node' | 'spec'>): number {
  const hash = createHash('sha256').update(`${stored.namespace}/${stored.workflow}/${stored.node}`).digest().readUInt32BE(0);
  return Math.floor((hash / 2 ** 32) * specOf(stored).jitterMs);
}

/** The one execution of a tick: whoever asks for it again, a backfill included, gets the same. */
export function tickRequest(stored: Pick<StoredSchedule, 'namespace' | 'workflow' | 'node' | 'spec'>, tick: number): EnqueueRequest & { idempotencyKey: string } {
  return {
    namespace: stored.namespace, workflow: stored.workflow, mode: ExecutionMode.Schedule,
    trigger: { node: stored.node, items: [tickItem(tick, specOf(stored).timezone)] },
    idempotencyKey: `schedule/${stored.node}/${new Date(tick).toISOString()}`,
  };
}
