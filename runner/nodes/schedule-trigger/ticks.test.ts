import { expect, test } from '@jest/globals';
import { Cron as Croner } from 'croner';
import { type Arbitrary, assert, constant, constantFrom, integer, oneof, property, tuple, uniqueArray } from 'fast-check';
import { DateTime } from 'luxon';
import { parseCron } from './cron.ts';
import { type ScheduleRule, ticksOf } from './ticks.ts';

const local = (text: string, zone: string): number => DateTime.fromISO(text, { zone }).toMillis();

/** Ticks after `from` and up to `to`, both local; given as local times with their offset. */
function ticks(rule: ScheduleRule, { zone, from, to, anchor = from }: { zone: string; from: string; to: string; anchor?: string }): string[] {
  const { next } = ticksOf({ rules: [rule], timezone: zone }, local(anchor, zone));
  const found: string[] = [];
  for (let at = next(local(from, zone)); at !== undefined && at <= local(to, zone); at = next(at)) {
    found.push(DateTime.fromMillis(at, { zone }).toFormat("dd'T'HH:mmZ"));
  }
  return found;
}

const SPRING = { zone: 'Europe/Berlin', from: '2026-03-28T23:59', to: '2026-03-29T05:00' };
const AUTUMN = { zone: 'Europe/Berlin', from: '2026-10-24T23:59', to: '2026-10-25T05:00' };

test.each<{ name: string; cron: string; when: { zone: string; from: string; to: string }; want: string[] }>([
  { name: 'a time left out in spring fires when the clocks are set', cron: '30 2 * * *', when: SPRING, want: ['29T03:00+2'] },
  { name: 'several of them once', cron: '0,15,30 2 * * *', when: SPRING, want: ['29T03:00+2'] },
  { name: 'with the time the gap ends at once', cron: '30 2,3 * * *', when: SPRING, want: ['29T03:00+2', '29T03:30+2'] },
  { name: 'the end of the gap itself once', cron: '0 2,3 * * *', when: SPRING, want: ['29T03:00+2'] },
  { name: 'every hour follows the clock on the wall in spring', cron: '30 * * * *', when: SPRING, want: ['29T00:30+1', '29T01:30+1', '29T03:30+2', '29T04:30+2'] },
  { name: 'every two hours has nothing at an hour that is not there', cron: '0 */2 * * *', when: SPRING, want: ['29T00:00+1', '29T04:00+2'] },
  { name: 'a time that comes twice in autumn fires the first time', cron: '30 2 * * *', when: AUTUMN, want: ['25T02:30+2'] },
  { name: 'times around the repeated hour once each', cron: '0 1-4 * * *', when: AUTUMN, want: ['25T01:00+2', '25T02:00+2', '25T03:00+1', '25T04:00+1'] },
  { name: 'every hour fires in both', cron: '30 * * * *', when: AUTUMN, want: ['25T00:30+2', '25T01:30+2', '25T02:30+2', '25T02:30+1', '25T03:30+1', '25T04:30+1'] },
  { name: 'half an hour in Lord Howe', cron: '15 2 * * *', when: { zone: 'Australia/Lord_Howe', from: '2026-10-04T00:00', to: '2026-10-04T05:00' }, want: ['04T02:30+11'] },
  { name: 'half an hour back in Lord Howe', cron: '45 1 * * *', when: { zone: 'Australia/Lord_Howe', from: '2026-04-05T00:00', to: '2026-04-05T05:00' }, want: ['05T01:45+11'] },
  { name: 'a midnight that is left out', cron: '0 0 * * *', when: { zone: 'Africa/Cairo', from: '2026-04-23T12:00', to: '2026-04-25T12:00' }, want: ['24T01:00+3', '25T00:00+3'] },
  { name: 'a whole day that was left out', cron: '0 9 * * *', when: { zone: 'Pacific/Apia', from: '2011-12-29T00:00', to: '2011-12-31T12:00' }, want: ['29T09:00-10', '31T00:00+14', '31T09:00+14'] },
  { name: 'the last day of the month', cron: '0 0 L * *', when: { zone: 'UTC', from: '2028-02-01T00:00', to: '2028-03-01T00:00' }, want: ['29T00:00+0'] },
  { name: 'three days before it', cron: '0 0 L-3 * *', when: { zone: 'UTC', from: '2026-02-01T00:00', to: '2026-03-01T00:00' }, want: ['25T00:00+0'] },
  { name: 'the last weekday', cron: '0 0 LW * *', when: { zone: 'UTC', from: '2026-05-01T00:00', to: '2026-06-01T00:00' }, want: ['29T00:00+0'] },
  { name: 'the weekday nearest to the first, in its month', cron: '0 0 1W * *', when: { zone: 'UTC', from: '2026-07-31T00:00', to: '2026-08-31T00:00' }, want: ['03T00:00+0'] },
  { name: 'the last Friday', cron: '0 0 * * FRIL', when: { zone: 'UTC', from: '2026-11-01T00:00', to: '2026-12-01T00:00' }, want: ['27T00:00+0'] },
  { name: 'the second Monday', cron: '0 0 * * MON#2', when: { zone: 'UTC', from: '2026-11-01T00:00', to: '2026-12-01T00:00' }, want: ['09T00:00+0'] },
  { name: 'either of two days', cron: '0 0 13 * 5', when: { zone: 'UTC', from: '2026-10-01T00:00', to: '2026-10-17T00:00' }, want: ['02T00:00+0', '09T00:00+0', '13T00:00+0', '16T00:00+0'] },
  { name: 'weekdays over the end of the week', cron: '0 0 * * SAT-MON', when: { zone: 'UTC', from: '2026-11-01T00:00', to: '2026-11-10T00:00' }, want: ['02T00:00+0', '07T00:00+0', '08T00:00+0', '09T00:00+0'] },
])('$name: $cron', ({ cron, when, want }) => {
  expect(ticks({ cron }, when)).toEqual(want);
});

test.each<{ name: string; rule: ScheduleRule; when: { zone: string; from: string; to: string; anchor?: string }; want: string[] }>([
  {
    name: 'every third day counts from the first after the anchor', rule: { cron: '0 9 * * *', every: { unit: 'day', count: 3 } },
    when: { zone: 'Europe/Berlin', anchor: '2026-10-20T10:00', from: '2026-10-20T10:00', to: '2026-10-28T00:00' }, want: ['21T09:00+2', '24T09:00+2', '27T09:00+1'],
  },
  {
    name: 'every other week keeps both of its days', rule: { cron: '0 9 * * 1,4', every: { unit: 'week', count: 2 } },
    when: { zone: 'UTC', anchor: '2026-11-03T00:00', from: '2026-11-03T00:00', to: '2026-11-30T00:00' }, want: ['05T09:00+0', '16T09:00+0', '19T09:00+0'],
  },
  {
    name: 'before the anchor too, for backfills', rule: { cron: '0 0 1 * *', every: { unit: 'month', count: 2 } },
    when: { zone: 'UTC', anchor: '2026-11-03T00:00', from: '2026-07-30T00:00', to: '2026-12-30T00:00' }, want: ['01T00:00+0', '01T00:00+0', '01T00:00+0'],
  },
  { name: '45 minutes evenly', rule: { periodMs: 2_700_000 }, when: { zone: 'UTC', from: '2026-11-03T00:00:40', to: '2026-11-03T03:00' }, want: ['03T00:45+0', '03T01:30+0', '03T02:15+0', '03T03:00+0'] },
  { name: 'five hours at minute 10, evenly though clocks change', rule: { periodMs: 18_000_000, minute: 10 }, when: { ...AUTUMN, to: '2026-10-25T12:00' }, want: ['25T00:10+2', '25T04:10+1', '25T09:10+1'] },
])('$name', ({ rule, when, want }) => {
  expect(ticks(rule, when)).toEqual(want);
});

test('a date that never comes has no tick', () => {
  expect(ticksOf({ rules: [{ cron: '0 0 30 2 *' }], timezone: 'UTC' }, 0).next(0)).toBeUndefined();
});

test('rules that meet make one tick', () => {
  const { next } = ticksOf({ rules: [{ cron: '0 * * * *' }, { cron: '0 12 * * *' }], timezone: 'UTC' }, 0);
  expect(next(local('2026-01-01T11:30', 'UTC'))).toBe(local('2026-01-01T12:00', 'UTC'));
  expect(next(local('2026-01-01T12:00', 'UTC'))).toBe(local('2026-01-01T13:00', 'UTC'));
});

test.each(['* * * *', '', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 8', '*/0 * * * *', '5-1 * * * *', '* * * * MOON', 'a b c d e', '* * L-31 * MON#6', '1,,2 * * * *', '@often'])('refuses %p', (text) => {
  expect(() => parseCron(text)).toThrow(expect.objectContaining({ name: 'CronSyntaxError' }));
});

const field = (min: number, max: number): Arbitrary<string> => oneof(
  constant('*'),
  integer({ min: 1, max }).map((step) => `*/${step}`),
  uniqueArray(integer({ min, max }), { minLength: 1, maxLength: 4 }).map((list) => list.join(',')),
  tuple(integer({ min, max }), integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
);
/** Without steps through all days: implementations differ in whether those restrict the other day field. */
const dayField = (min: number, max: number): Arbitrary<string> => field(min, max).filter((text) => !text.startsWith('*/'));
const cron = tuple(field(0, 59), field(0, 23), dayField(1, 28), field(1, 12), dayField(0, 6)).map((fields) => fields.join(' '));

test('finds what another implementation finds', () => {
  assert(property(cron, integer({ min: 0, max: 4_000_000_000 }), (expression, second) => {
    const { next } = ticksOf({ rules: [{ cron: expression }], timezone: 'UTC' }, 0);
    expect(next(second * 1000)).toBe(new Croner(expression, { timezone: 'UTC' }).nextRun(new Date(second * 1000))?.getTime());
  }), { numRuns: 300 });
});

/** Goes through every minute of the day and asks luxon what clocks show, which is slow and simple. */
function minutesByLooking(expression: string, zone: string, [from, to]: [number, number]): number[] {
  const cron = parseCron(expression);
  const seen = new Set<string>();
  const found = new Set<number>();
  let before = DateTime.fromMillis(from, { zone });
  for (let at = from + 60_000; at <= to; at += 60_000) {
    const now = DateTime.fromMillis(at, { zone });
    const matches = (wall: DateTime): boolean => cron.minutes.includes(wall.minute) && cron.hours.includes(wall.hour) && cron.isDay(Math.floor(wall.setZone('utc', { keepLocalTime: true }).toMillis() / 86_400_000));
    const name = now.toFormat('yyyyMMddHHmm');
    if (matches(now) && (cron.everyHour || !seen.has(name))) found.add(at);
    seen.add(name);
    const left = now.offset - before.offset;
    for (let minute = 0; minute < left && !cron.everyHour; minute += 1) {
      if (matches(DateTime.fromMillis(at + before.offset * 60_000 + minute * 60_000, { zone: 'utc' }))) found.add(at);
    }
    before = now;
  }
  return [...found];
}

test('fires every time of day once, and frequencies by the clock on the wall, around every change of clocks', () => {
  const changes = [['Europe/Berlin', '2026-03-29T01:00Z'], ['Europe/Berlin', '2026-10-25T01:00Z'], ['America/New_York', '2027-03-14T07:00Z'], ['America/New_York', '2027-11-07T06:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30Z'], ['Australia/Lord_Howe', '2026-04-04T15:00Z'], ['Africa/Cairo', '2026-04-23T22:00Z'], ['Africa/Cairo', '2026-10-29T21:00Z'], ['Africa/Casablanca', '2027-02-07T02:00Z']] as const;
  const times = tuple(field(0, 59), oneof(field(0, 4), constant('*/2'), constant('23,0')), constant('* * *')).map((fields) => fields.join(' '));
  assert(property(times, constantFrom(...changes), (expression, [zone, change]) => {
    const [from, to] = [Date.parse(change) - 8 * 3_600_000, Date.parse(change) + 5 * 3_600_000];
    const { next } = ticksOf({ rules: [{ cron: expression }], timezone: zone }, from);
    const found: number[] = [];
    for (let at = next(from); at !== undefined && at <= to; at = next(at)) found.push(at);
    expect(found).toEqual(minutesByLooking(expression, zone, [from, to]));
  }), { numRuns: 60 });
});
