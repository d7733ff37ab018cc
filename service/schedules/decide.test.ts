import { expect, test } from '@jest/globals';
import { array, assert, integer, property, record, boolean } from 'fast-check';
import { ticksOf } from '../../runner/nodes/schedule-trigger/ticks.ts';
import { type Decision, decide } from './decide.ts';

const MINUTE = 60_000;
const everyMinute = ticksOf({ rules: [{ cron: '* * * * *' }], timezone: 'UTC' }, 0);

test.each<{ name: string; misfire: 'skip' | 'latest' | 'all'; now: number; cursor?: number; jitterMs?: number; limit?: number; want: Partial<Decision> }>([
  { name: 'nothing is due', misfire: 'latest', now: MINUTE - 1, want: { fire: [], missed: 0, cursor: 0, lookAt: MINUTE } },
  { name: 'a tick is due', misfire: 'skip', now: MINUTE, want: { fire: [MINUTE], missed: 0, cursor: MINUTE, lookAt: 2 * MINUTE } },
  { name: 'a tick waits for its jitter', misfire: 'skip', now: MINUTE, jitterMs: 5000, want: { fire: [], cursor: 0, lookAt: MINUTE + 5000 } },
  { name: 'late is not missed', misfire: 'skip', now: 2 * MINUTE - 1, want: { fire: [MINUTE], missed: 0, cursor: MINUTE } },
  { name: 'skip', misfire: 'skip', now: 10 * MINUTE + 500, want: { fire: [10 * MINUTE], missed: 9, cursor: 10 * MINUTE, lookAt: 11 * MINUTE } },
  { name: 'latest', misfire: 'latest', now: 10 * MINUTE + 500, want: { fire: [9 * MINUTE, 10 * MINUTE], missed: 8, cursor: 10 * MINUTE } },
  { name: 'all', misfire: 'all', now: 5 * MINUTE, want: { fire: [1, 2, 3, 4, 5].map((n) => n * MINUTE), missed: 0, cursor: 5 * MINUTE } },
  { name: 'all, up to the limit', misfire: 'all', limit: 2, now: 5 * MINUTE + 1, want: { fire: [3, 4, 5].map((n) => n * MINUTE), missed: 2, cursor: 5 * MINUTE } },
  { name: 'more than are fired at once', misfire: 'all', limit: 500, now: 300 * MINUTE + 1, want: { missed: 0, cursor: 100 * MINUTE, lookAt: 300 * MINUTE + 1 } },
  { name: 'more than are counted at once', misfire: 'latest', now: 30_000 * MINUTE, want: { fire: [], missed: 1999, cursor: 1999 * MINUTE, lookAt: 30_000 * MINUTE } },
])('$name', ({ misfire, limit = 100, now, cursor = 0, jitterMs = 0, want }) => {
  expect(decide(everyMinute, { misfire, misfireLimit: limit }, { now, cursor, jitterMs })).toMatchObject(want);
});

test('a schedule without further ticks is not looked at again', () => {
  expect(decide({ next: () => undefined }, { misfire: 'latest', misfireLimit: 1 }, { now: 5, cursor: 0, jitterMs: 0 })).toEqual({ fire: [], missed: 0, cursor: 0 });
});

test('over any outages and crashes, policy all fires every tick once, in order', () => {
  const looks = array(record({ pauseMs: integer({ min: 0, max: 40 * MINUTE }), crashes: boolean() }), { minLength: 1, maxLength: 30 });
  assert(property(looks, integer({ min: 0, max: 5 * MINUTE }), (all, jitterMs) => {
    const queued = new Map<number, number>();
    let [now, cursor] = [0, 0];
    for (const { pauseMs, crashes } of [...all, { pauseMs: 0, crashes: false }]) {
      now += pauseMs;
      for (let again = true; again;) {
        const decision = decide(everyMinute, { misfire: 'all', misfireLimit: 1500 }, { now, cursor, jitterMs });
        // The idempotency key: a tick that is queued already is not queued again.
        for (const tick of decision.fire) queued.set(tick, queued.get(tick) ?? now);
        if (!crashes) cursor = decision.cursor;
        again = !crashes && decision.lookAt === now;
      }
    }
    const due = Math.max(0, Math.floor((now - jitterMs) / MINUTE));
    expect([...queued.keys()]).toEqual(Array.from({ length: due }, (_, index) => (index + 1) * MINUTE));
  }), { numRuns: 50 });
});
