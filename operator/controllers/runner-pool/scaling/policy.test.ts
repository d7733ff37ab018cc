import { expect, test } from '@jest/globals';
import { policyAt } from './policy.ts';
import { isOpen, isTimezone } from './schedule-window.ts';

const work = { timezone: 'Europe/Berlin', days: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'], from: '08:00', to: '18:00' } as { timezone: string; days: ('Mon' | 'Fri')[]; from: string; to: string };

test.each([
  { name: 'Monday morning in winter', schedule: work, at: '2026-01-05T07:00:00Z', want: true },
  { name: 'just before', schedule: work, at: '2026-01-05T06:59:59Z', want: false },
  { name: 'the end is outside', schedule: work, at: '2026-01-05T17:00:00Z', want: false },
  { name: 'the same time on the wall in summer', schedule: work, at: '2026-07-06T06:00:00Z', want: true },
  { name: 'Saturday', schedule: work, at: '2026-01-10T10:00:00Z', want: false },
  { name: 'over midnight, before it', schedule: { from: '22:00', to: '02:00', days: ['Fri' as const] }, at: '2026-01-09T23:00:00Z', want: true },
  { name: 'over midnight, after it', schedule: { from: '22:00', to: '02:00', days: ['Fri' as const] }, at: '2026-01-10T01:59:00Z', want: true },
  { name: 'over midnight, the day before', schedule: { from: '22:00', to: '02:00', days: ['Fri' as const] }, at: '2026-01-09T01:00:00Z', want: false },
  { name: 'all day', schedule: { from: '00:00', to: '00:00' }, at: '2026-01-09T00:00:00Z', want: true },
  { name: 'midnight is 00, not 24', schedule: { from: '00:00', to: '00:30' }, at: '2026-01-09T00:10:00Z', want: true },
])('$name', ({ schedule, at, want }) => {
  expect(isOpen(schedule, Date.parse(at))).toBe(want);
});

test('a window over the night when clocks change ends by the clock on the wall', () => {
  const night = { timezone: 'Europe/Berlin', from: '01:00', to: '04:00' };
  const hours = (day: string) => Array.from({ length: 24 * 60 }, (_, minute) => Date.parse(day) - 2 * 3_600_000 + minute * 60_000).filter((at) => isOpen(night, at)).length / 60;
  expect([hours('2026-03-29T00:00:00Z'), hours('2026-10-25T00:00:00Z'), hours('2026-06-01T00:00:00Z')]).toEqual([2, 4, 3]);
});

test('knows timezones', () => {
  expect([isTimezone('Europe/Berlin'), isTimezone('Mars/Olympus')]).toEqual([true, false]);
});

test('the first schedule that is open counts, and what it leaves out is as without it', () => {
  const scaling = { minReplicas: 1, maxReplicas: 5, schedules: [{ from: '08:00', to: '10:00', minReplicas: 8 }, { from: '09:00', to: '11:00', maxReplicas: 2 }] };
  const boundsAt = (time: string) => {
    const { minReplicas, maxReplicas } = policyAt(scaling, Date.parse(`2026-01-05T${time}:00Z`));
    return [minReplicas, maxReplicas];
  };
  expect([boundsAt('07:00'), boundsAt('09:30'), boundsAt('10:30')]).toEqual([[1, 5], [8, 8], [1, 2]]);
});

test('defaults', () => {
  expect(policyAt({}, 0)).toEqual({ minReplicas: 1, maxReplicas: 10, targetWaitMs: 10_000, stabilizationMs: 120_000 });
  expect(policyAt({ minReplicas: 20 }, 0)).toMatchObject({ minReplicas: 20, maxReplicas: 20 });
});
