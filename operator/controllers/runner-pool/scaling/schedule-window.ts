import type { ScalingSchedule } from '../../../../crds/pool-scaling.ts';

type Day = NonNullable<ScalingSchedule['days']>[number];
const DAYS: Day[] = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * Whether a window is open at a time (milliseconds since the epoch), judged by the clock on the wall there: a change to or from daylight saving
 * time makes a window an hour shorter or longer, never shifts it. Throws RangeError for a timezone that is not known.
 */
export function isOpen({ timezone = 'UTC', days = DAYS, from, to }: ScalingSchedule, now: number): boolean {
  const { day, time } = wallClock(timezone, now);
  if (from < to) return days.includes(day) && from <= time && time < to;
  // Over midnight: what is before `to` belongs to the window that began the day before.
  return (days.includes(day) && time >= from) || (days.includes(before(day)) && time < to);
}

/** Whether it names a timezone that is known here. */
export function isTimezone(timezone: string): boolean {
  try {
    formatOf(timezone);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function before(day: Day): Day {
  return DAYS[(DAYS.indexOf(day) + 6) % 7] ?? day;
}

function wallClock(timezone: string, now: number): { day: Day; time: string } {
  const parts = new Map(formatOf(timezone).formatToParts(now).map(({ type, value }) => [type, value]));
  const day = DAYS.find((name) => name === parts.get('weekday')) ?? 'Mon';
  return { day, time: `${parts.get('hour')}:${parts.get('minute')}` };
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  formats.set(timezone, format);
  return format;
}
