import type { Registry } from 'prom-client';
import { channel } from '../../store/notifications.ts';
import type { ScheduleMove, StoredSchedule } from '../../store/schedules.ts';
import type { Store } from '../../store/store.ts';
import { decide, type Decision } from './decide.ts';
import { scheduleMetrics } from './metrics.ts';
import { jitterOf, specOf, tickRequest, ticksOfStored } from './tick-request.ts';

export interface SchedulerParts {
  store: Pick<Store, 'schedules' | 'queue' | 'notifications'>;
  log: { warn(fields: object, message: string): void };
  registry?: Registry;
}

/** Schedules that one statement claims. */
const BATCH = 100;
/** How often is looked for what a lost message would have told. */
const LONGEST_PAUSE_MS = 5000;
const SHORTEST_PAUSE_MS = 5;
const RETRY_MS = 1000;

/** A schedule that was claimed, and what is done with it. */
interface Planned {
  schedule: StoredSchedule;
  decision: Decision;
}

/**
 * Fires schedules, together with any number of other replicas: each claims what is due in PostgreSQL. A tick is queued with an idempotency
 * key before its schedule is moved on, so that a replica that dies in between leaves nothing out and nothing double. Resolves to a
 * function that stops it and waits for what is under way.
 */
export async function startScheduler({ store, log, registry }: SchedulerParts): Promise<() => Promise<void>> {
  const metrics = registry && scheduleMetrics(registry);
  const stopping = new AbortController();
  const { signal } = stopping;
  let wake: (() => void) | undefined;
  let awake = false;

  const stopListening = await store.notifications.on(channel.routes, () => {
    awake = true;
    wake?.();
  });
  const running = run();
  return async () => {
    stopping.abort();
    wake?.();
    await stopListening();
    await running;
  };

  async function run(): Promise<void> {
    while (!signal.aborted) {
      awake = false;
      await pause(await look().catch((error: unknown) => {
        if (!signal.aborted) log.warn({ err: error }, 'Could not fire schedules, trying again');
        return RETRY_MS;
      }));
    }
  }

  async function pause(ms: number): Promise<void> {
    if (signal.aborted || awake || ms === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, ms)));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    wake = undefined;
  }

  /** Deals with what is due; resolves to the milliseconds until there may be more. */
  async function look(): Promise<number> {
    const { due, now, nextMs = LONGEST_PAUSE_MS } = await store.schedules.claim(BATCH);
    const moves = await fire(due.map((schedule) => plan(schedule, now)), now);
    await store.schedules.move(moves);
    if (due.length === BATCH) return 0;
    return moves.reduce((least, { lookAt }) => Math.min(least, lookAt === undefined ? least : Math.max(0, lookAt - now)), nextMs);
  }

  async function fire(planned: readonly Planned[], now: number): Promise<ScheduleMove[]> {
    const ticks = planned.flatMap(({ schedule, decision }) => decision.fire.map((tick) => ({ schedule, tick })));
    const outcomes = await store.queue.enqueue(ticks.map(({ schedule, tick }) => tickRequest(schedule, tick)));
    let taken = 0;
    return planned.map(({ schedule, decision }) => {
      const own = outcomes.slice(taken, taken += decision.fire.length);
      return settle({ schedule, decision }, own, now);
    });
  }

  /** A full queue holds the ticks back from the first it refused; a tick that the workflow's limits refuse is missed. */
  function settle({ schedule, decision }: Planned, outcomes: Awaited<ReturnType<Store['queue']['enqueue']>>, now: number): ScheduleMove {
    const { namespace, workflow, node, cursor: from } = schedule;
    const full = outcomes.findIndex((outcome) => !outcome.accepted && outcome.reason === 'QueueFull');
    const done = full < 0 ? outcomes : outcomes.slice(0, full);
    const refused = done.filter((outcome) => !outcome.accepted);
    const fired = done.length - refused.length;
    const missed = decision.missed + refused.length;
    for (const tick of decision.fire.slice(0, done.length)) metrics?.lag.observe(Math.max(0, now - tick - jitterOf(schedule)) / 1000);
    metrics?.ticks.inc({ outcome: 'fired' }, fired);
    metrics?.ticks.inc({ outcome: 'missed' }, missed);
    if (missed > 0) log.warn({ namespace, workflow, node, missed, reasons: [...new Set(refused.map((outcome) => (outcome.accepted ? '' : outcome.reason)))] }, 'Passed over ticks of a schedule');
    if (full < 0) return { namespace, workflow, node, from, fired, missed, cursor: decision.cursor, ...(decision.lookAt !== undefined && { lookAt: decision.lookAt }) };
    const before = (decision.fire[full] ?? from) - 1;
    return { namespace, workflow, node, from, fired, missed, cursor: Math.max(from, before), lookAt: now + RETRY_MS };
  }
}

function plan(schedule: StoredSchedule, now: number): Planned {
  const decision = decide(ticksOfStored(schedule), specOf(schedule), { now, cursor: schedule.cursor, jitterMs: jitterOf(schedule) });
  return { schedule, decision };
}
