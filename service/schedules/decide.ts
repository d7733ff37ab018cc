import { Misfire, type Schedule } from '../../runner/nodes/schedule-trigger/schedule.ts';
import type { Ticks } from '../../runner/nodes/schedule-trigger/ticks.ts';

/** What is to be done with a schedule now. */
export interface Decision {
  /** Ticks to execute, oldest first. */
  fire: number[];
  /** How many were passed over. */
  missed: number;
  /** Ticks up to here are dealt with once `fire` is queued. */
  cursor: number;
  /** When the next tick is due; absent: never. */
  lookAt?: number;
}

/** A tick that is so late has been missed: nothing was there to fire it. Later than that by less is only late. */
export const GRACE_MS = 60_000;
/** Executions that one look at a schedule starts: more than the grace period has seconds, so that only policy `all` needs several looks. */
const FIRED_AT_ONCE = 100;
/** Ticks that are counted in one look: more than are ever made up for, and few enough that nobody waits for the counting. */
const COUNTED_AT_ONCE = 2000;

export interface Moment {
  now: number;
  /** Ticks up to here are dealt with already. */
  cursor: number;
  /** How much later than its ticks this schedule fires. */
  jitterMs: number;
}

/** Pure. All times in milliseconds since the epoch. */
export function decide(ticks: Ticks, { misfire, misfireLimit }: Pick<Schedule, 'misfire' | 'misfireLimit'>, { now, cursor, jitterMs }: Moment): Decision {
  const due: number[] = [];
  let tick = ticks.next(cursor);
  while (tick !== undefined && tick + jitterMs <= now && due.length < COUNTED_AT_ONCE) {
    due.push(tick);
    tick = ticks.next(tick);
  }
  const late = due.filter((time) => time + jitterMs < now - GRACE_MS);
  const madeUpFor = { [Misfire.Skip]: 0, [Misfire.Latest]: 1, [Misfire.All]: misfireLimit }[misfire];
  const missed = Math.max(0, late.length - madeUpFor);
  const wanted = due.slice(missed);
  if (tick !== undefined && tick + jitterMs <= now) {
    // More are due than were counted: pass over the oldest, and look again.
    return { fire: [], missed, cursor: due[missed - 1] ?? cursor, lookAt: now };
  }
  const fire = wanted.slice(0, FIRED_AT_ONCE);
  const lookAt = fire.length < wanted.length ? now : tick === undefined ? undefined : tick + jitterMs;
  return { fire, missed, cursor: fire.at(-1) ?? due.at(-1) ?? cursor, ...(lookAt !== undefined && { lookAt }) };
}
