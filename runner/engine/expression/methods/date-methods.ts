import type { DateTime, DateTimeUnit, DurationUnit, DurationLikeObject } from 'luxon';
import { MethodError } from './method-error.ts';

type AnyDate = Date | DateTime;
type Dates = typeof DateTime;

/** Units as people write them: one or many, any case. */
function unitOf(unit: unknown): DateTimeUnit {
  return String(unit).toLowerCase().replace(/s$/, '') as DateTimeUnit;
}

function asDateTime(dates: Dates, value: unknown): DateTime {
  if (dates.isDateTime(value)) return value;
  const read = value instanceof Date ? dates.fromJSDate(value) : dates.fromISO(String(value));
  if (!read.isValid) throw new MethodError(`'${String(value)}' is not a date`);
  return read;
}

const PARTS: Readonly<Record<string, (date: DateTime) => unknown>> = {
  year: (date) => date.year, quarter: (date) => date.quarter, month: (date) => date.month, week: (date) => date.weekNumber, weeknumber: (date) => date.weekNumber,
  day: (date) => date.day, weekday: (date) => date.weekday, hour: (date) => date.hour, minute: (date) => date.minute, second: (date) => date.second, millisecond: (date) => date.millisecond,
  weekyear: (date) => date.weekYear, ordinal: (date) => date.ordinal,
};

function extract(date: DateTime, part: unknown): unknown {
  const read = PARTS[unitOf(part)];
  if (!read) throw new MethodError(`extract() does not know the part '${String(part)}'`);
  return read(date);
}

/** `plus` and `minus` take a number and a unit, or whatever luxon takes. */
function period(amount: unknown, unit: unknown): DurationLikeObject {
  if (unit === undefined) return (typeof amount === 'object' ? amount : { milliseconds: Number(amount) }) as DurationLikeObject;
  return { [unitOf(unit)]: Number(amount) };
}

function difference(from: DateTime, to: DateTime, unit: unknown): unknown {
  if (!Array.isArray(unit)) return from.diff(to, unitOf(unit)).as(unitOf(unit));
  const units: DurationUnit[] = unit.map((each: unknown) => unitOf(each));
  return from.diff(to, units).toObject();
}

/** Data-transformation methods of JavaScript dates and luxon DateTimes. What gives a date gives the kind it was called on. */
export function dateMethods(dates: Dates) {
  const onSame = (self: AnyDate, change: (date: DateTime) => DateTime): AnyDate => {
    const changed = change(asDateTime(dates, self));
    return dates.isDateTime(self) ? changed : changed.toJSDate();
  };
  const read = (self: AnyDate): DateTime => asDateTime(dates, self);
  return {
    beginningOf: (self: AnyDate, unit: unknown = 'week') => onSame(self, (date) => date.startOf(unitOf(unit))),
    diffTo: (self: AnyDate, other: unknown, unit: unknown = 'days') => difference(read(self), asDateTime(dates, other), unit),
    diffToNow: (self: AnyDate, unit: unknown = 'days') => difference(read(self), dates.now(), unit),
    endOfMonth: (self: AnyDate) => onSame(self, (date) => date.endOf('month')),
    extract: (self: AnyDate, part: unknown = 'week') => extract(read(self), part),
    format: (self: AnyDate, format: unknown, options?: object) => read(self).toFormat(String(format), options),
    isBetween(self: AnyDate, first: unknown, second: unknown) {
      const [start, end] = [asDateTime(dates, first).toMillis(), asDateTime(dates, second).toMillis()].toSorted((a, b) => a - b) as [number, number];
      return start < read(self).toMillis() && read(self).toMillis() < end;
    },
    isDst: (self: AnyDate) => read(self).isInDST,
    isEmpty: () => false,
    isNotEmpty: () => true,
    isInLast: (self: AnyDate, amount: unknown = 0, unit: unknown = 'minutes') => {
      const now = dates.now();
      return now.minus(period(amount, unit)) <= read(self) && read(self) <= now;
    },
    isWeekend: (self: AnyDate) => read(self).weekday > 5,
    minus: (self: AnyDate, amount: unknown, unit?: unknown) => onSame(self, (date) => date.minus(period(amount, unit))),
    plus: (self: AnyDate, amount: unknown, unit?: unknown) => onSame(self, (date) => date.plus(period(amount, unit))),
    toDateTime: read,
    toInt: (self: AnyDate) => read(self).toMillis(),
  };
}
