import { type Cron, parseCron } from './cron.ts';
import { isTimezone, type Zone, zoneOf } from './local-clock.ts';

/**
 * One rule in a form that does not depend on how it was written. `cron` with `every`: of the days that match only every n-th day, week or
 * month, counted from the first after the anchor. `periodMs`: evenly, from the first full minute `minute` of an hour after the anchor or,
 * without it, from the anchor.
 */
export type ScheduleRule =
  | { cron: string; every?: { unit: 'day' | 'week' | 'month'; count: number } }
  | { periodMs: number; minute?: number };

export interface Ticks {
  /** First tick after an instant, in milliseconds since the epoch; undefined when there is none within decades. */
  next(after: number): number | undefined;
}

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;
/** Any date comes back on any weekday within 40 years. */
const SEARCHED_DAYS = 40 * 366;
/** No clock is set back by more. */
const LONGEST_REPEAT_MS = 6 * 3_600_000;

/**
 * The ticks of a schedule. `anchor`: when it came into force. Two rules that meet make one tick. Throws CronSyntaxError for a cron
 * expression that is none, and RangeError for a timezone that is none.
 */
export function ticksOf({ rules, timezone }: { rules: readonly ScheduleRule[]; timezone: string }, anchor: number): Ticks {
  if (!isTimezone(timezone)) throw new RangeError(`There is no timezone ${timezone}`);
  const zone = zoneOf(timezone);
  const parts = rules.map((rule) => ('cron' in rule ? calendarTicks(rule, zone, anchor) : evenTicks(rule, zone, anchor)));
  return {
    next(after) {
      const times = parts.flatMap((part) => part.next(after) ?? []);
      return times.length === 0 ? undefined : Math.min(...times);
    },
  };
}

function evenTicks({ periodMs, minute }: { periodMs: number; minute?: number }, zone: Zone, anchor: number): Ticks {
  const unit = periodMs % 60_000 === 0 ? 60_000 : SECOND_MS;
  const start = Math.floor(anchor / unit) * unit;
  const first = minute === undefined ? start : cronTicks(parseCron(`${minute} * * * *`), zone).next(anchor) ?? start;
  return { next: (after) => first + (Math.floor((after - first) / periodMs) + 1) * periodMs };
}

function calendarTicks({ cron: expression, every }: { cron: string; every?: { unit: 'day' | 'week' | 'month'; count: number } }, zone: Zone, anchor: number): Ticks {
  const cron = parseCron(expression);
  const all = cronTicks(cron, zone);
  if (every === undefined || every.count === 1) return all;
  const first = all.next(anchor);
  if (first === undefined) return all;
  const numberOf = PERIODS[every.unit];
  const base = numberOf(Math.floor((first + zone.offsetAt(first)) / DAY_MS));
  const isDay = (day: number): boolean => (numberOf(day) - base) % every.count === 0 && cron.isDay(day);
  return cronTicks({ ...cron, isDay }, zone);
}

/** The number of the day, week (from Sunday) or month that a day is in. */
const PERIODS = {
  day: (day: number): number => day,
  // 1970-01-01 was a Thursday.
  week: (day: number): number => Math.floor((day + 4) / 7),
  month: (day: number): number => {
    const date = new Date(day * DAY_MS);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  },
} as const;

/**
 * What happens when clocks change depends on what was meant. A schedule with times of day fires once for each of them: a time that is left
 * out in spring when the clocks have been set, one that comes twice in autumn the first time. One that fires every hour or more often just
 * follows the clock on the wall.
 */
function cronTicks(cron: Cron, zone: Zone): Ticks {
  return {
    next(after) {
      let offset = zone.offsetAt(after);
      // Local time up to which nothing fires (any more).
      let wall = after + offset;
      if (!cron.everyHour) wall = Math.max(wall, endOfRepeat(zone, after) - 1);
      let instant = after;
      for (;;) {
        const found = nextWall(cron, wall);
        if (found === undefined) return undefined;
        const change = zone.change(instant, found - offset);
        if (change === undefined) return found - offset;
        const next = zone.offsetAt(change);
        const before = change + offset;
        const behind = change + next;
        if (!cron.everyHour && found < behind) return change;
        // Set forward: go on at the new time. Set back: what comes again counts only for frequencies.
        wall = Math.max(behind, cron.everyHour ? behind : before) - 1;
        instant = change;
        offset = next;
      }
    },
  };
}

/** Local time at which the hour that is just repeated is over; far in the past when none is. */
function endOfRepeat(zone: Zone, instant: number): number {
  const from = instant - LONGEST_REPEAT_MS;
  const change = zone.change(from, instant);
  return change === undefined ? -Infinity : change + zone.offsetAt(from);
}

/** First local time after `wall` that the expression names; both as milliseconds of a clock without a zone. */
function nextWall(cron: Cron, wall: number): number | undefined {
  const start = (Math.floor(wall / SECOND_MS) + 1) * SECOND_MS;
  const today = Math.floor(start / DAY_MS);
  for (let day = today; day < today + SEARCHED_DAYS; day += 1) {
    const time = cron.isDay(day) ? timeOfDay(cron, day === today ? (start - day * DAY_MS) / SECOND_MS : 0) : undefined;
    if (time !== undefined) return day * DAY_MS + time * SECOND_MS;
  }
  return undefined;
}

/** First second of the day from `from` on. */
function timeOfDay({ hours, minutes, seconds }: Cron, from: number): number | undefined {
  for (const hour of hours) {
    if ((hour + 1) * 3600 <= from) continue;
    for (const minute of minutes) {
      const start = hour * 3600 + minute * 60;
      if (start + 60 <= from) continue;
      const second = seconds.find((value) => start + value >= from);
      if (second !== undefined) return start + second;
    }
  }
  return undefined;
}
