/** A cron expression as sets. Days are counted from 1970-01-01. */
export interface Cron {
  seconds: readonly number[];
  minutes: readonly number[];
  hours: readonly number[];
  isDay(day: number): boolean;
  /** The hour is `*` or a step of it: the schedule has a frequency rather than times of day, which matters when clocks change. */
  everyHour: boolean;
}

interface Field {
  name: string;
  min: number;
  max: number;
  names?: readonly string[];
}

/** What one part of a day field asks: the day of the month, its last day and the weekday are given. */
type DayTest = (date: CalendarDay) => boolean;

interface CalendarDay {
  month: number;
  dayOfMonth: number;
  /** Last day of the month. */
  last: number;
  /** 0 is Sunday. */
  weekday: number;
}

const DAY_MS = 86_400_000;
const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

const SECOND: Field = { name: 'second', min: 0, max: 59 };
const MINUTE: Field = { name: 'minute', min: 0, max: 59 };
const HOUR: Field = { name: 'hour', min: 0, max: 23 };
const DAY_OF_MONTH: Field = { name: 'day of month', min: 1, max: 31 };
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS };
/** 7 is Sunday too. */
const DAY_OF_WEEK: Field = { name: 'day of week', min: 0, max: 7, names: WEEKDAYS };

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *', '@weekly': '0 0 * * 0', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@hourly': '0 * * * *',
};

/** What is wrong with an expression, for people. */
export class CronSyntaxError extends Error {
  override readonly name = 'CronSyntaxError';
}

/**
 * Reads five fields (minute, hour, day of month, month, day of week) or six (with the second first): lists, ranges, steps, names, `?` for
 * `*`, and for days `L`, `L-3`, `LW`, `15W`, `5L`, `5#3`. When both days are given, either is enough. Throws CronSyntaxError.
 */
export function parseCron(expression: string): Cron {
  const text = MACROS[expression.trim().toLowerCase()] ?? expression.trim().toUpperCase();
  const fields = text.split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) {
    throw new CronSyntaxError(`has ${text === '' ? 0 : fields.length} fields; write five (minute, hour, day of month, month, day of week) or six (with the second first)`);
  }
  const [second = '', minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = fields.length === 6 ? fields : ['0', ...fields];
  const months = new Set(numbers(MONTH, month));
  const days = dayTests(dayOfMonth, dayOfWeek);
  return {
    seconds: numbers(SECOND, second), minutes: numbers(MINUTE, minute), hours: numbers(HOUR, hour), everyHour: isOpen(hour),
    isDay(day) {
      const date = calendarDay(day);
      return months.has(date.month) && days(date);
    },
  };
}

/** Begins with a `*`: any value, or a step through all of them. */
function isOpen(field: string): boolean {
  return field.startsWith('*') || field === '?';
}

function calendarDay(day: number): CalendarDay {
  const date = new Date(day * DAY_MS);
  const month = date.getUTCMonth();
  return {
    month: month + 1, dayOfMonth: date.getUTCDate(), weekday: date.getUTCDay(),
    last: new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate(),
  };
}

function dayTests(dayOfMonth: string, dayOfWeek: string): DayTest {
  const ofMonth = dayOfMonth.split(',').map(dayOfMonthTest);
  const ofWeek = dayOfWeek.split(',').map(dayOfWeekTest);
  const inMonth: DayTest = (date) => ofMonth.some((test) => test(date));
  const inWeek: DayTest = (date) => ofWeek.some((test) => test(date));
  if (isOpen(dayOfMonth) || isOpen(dayOfWeek)) return (date) => inMonth(date) && inWeek(date);
  return (date) => inMonth(date) || inWeek(date);
}

function dayOfMonthTest(part: string): DayTest {
  const last = /^L(?:-(\d{1,2}))?$/.exec(part);
  if (last) {
    const before = inRange(DAY_OF_MONTH, last[1] ?? '1', part) - (last[1] === undefined ? 1 : 0);
    return (date) => date.dayOfMonth === date.last - before;
  }
  if (part === 'LW') return (date) => date.dayOfMonth === nearestWeekday(date, date.last);
  const near = /^(\d{1,2})W$/.exec(part);
  if (near) {
    const wanted = inRange(DAY_OF_MONTH, near[1] ?? '', part);
    return (date) => wanted <= date.last && date.dayOfMonth === nearestWeekday(date, wanted);
  }
  const days = new Set(partNumbers(DAY_OF_MONTH, part));
  return (date) => days.has(date.dayOfMonth);
}

/** The day from Monday to Friday that is nearest to a day of the month and in the same month. */
function nearestWeekday({ dayOfMonth, weekday, last }: CalendarDay, wanted: number): number {
  const wantedWeekday = (((weekday + wanted - dayOfMonth) % 7) + 7) % 7;
  if (wantedWeekday === 6) return wanted === 1 ? 3 : wanted - 1;
  if (wantedWeekday === 0) return wanted === last ? wanted - 2 : wanted + 1;
  return wanted;
}

function dayOfWeekTest(part: string): DayTest {
  const special = /^([A-Z]{3}|\d)(?:(L)|#([1-5]))$/.exec(part);
  if (special) {
    const wanted = inRange(DAY_OF_WEEK, special[1] ?? '', part) % 7;
    const nth = Number(special[3]);
    if (special[2] === 'L') return (date) => date.weekday === wanted && date.dayOfMonth > date.last - 7;
    return (date) => date.weekday === wanted && Math.ceil(date.dayOfMonth / 7) === nth;
  }
  const days = new Set(partNumbers(DAY_OF_WEEK, part).map((day) => day % 7));
  return (date) => days.has(date.weekday);
}

function numbers(field: Field, text: string): number[] {
  return [...new Set(text.split(',').flatMap((part) => partNumbers(field, part)))].sort((a, b) => a - b);
}

/** `*`, `3`, `3-7`, `MON-FRI`, a step such as `3/5`, `3/5`, `3-20/5`. */
function partNumbers(field: Field, part: string): number[] {
  const match = /^(\*|\?|[A-Z]{3}|\d{1,2})(?:-([A-Z]{3}|\d{1,2}))?(?:\/(\d{1,4}))?$/.exec(part);
  if (!match) throw new CronSyntaxError(`does not say a ${field.name}: '${part.slice(0, 20)}'`);
  const [, first = '', end, stepText] = match;
  const all = first === '*' || first === '?';
  if (all && end !== undefined) throw new CronSyntaxError(`does not say a ${field.name}: '${part}' is a range that begins with ${first}`);
  const step = stepText === undefined ? 1 : Number(stepText);
  if (step === 0) throw new CronSyntaxError(`has a step of 0 in its ${field.name}; use 1 or more`);
  const from = all ? field.min : inRange(field, first, part);
  const openEnd = all || stepText !== undefined;
  // Steps through all weekdays stop at Saturday: 7 would be Sunday again.
  const until = end === undefined ? (openEnd ? Math.min(field.max, field === DAY_OF_WEEK ? 6 : field.max) : from) : inRange(field, end, part);
  return span(field, { from, until, step, part });
}

function span(field: Field, { from, until, step, part }: { from: number; until: number; step: number; part: string }): number[] {
  // FRI-MON goes over the end of the week; other ranges that go backwards are slips.
  const end = until < from && field === DAY_OF_WEEK ? until + 7 : until;
  if (end < from) throw new CronSyntaxError(`has a range that goes backwards in its ${field.name}: '${part}'`);
  return Array.from({ length: Math.floor((end - from) / step) + 1 }, (_, index) => from + index * step).map((value) => (field === DAY_OF_WEEK ? value % 7 : value));
}

function inRange(field: Field, text: string, part: string): number {
  const named = field.names?.indexOf(text) ?? -1;
  const value = named < 0 ? Number(text) : named + (field === MONTH ? 1 : 0);
  if (Number.isInteger(value) && value >= field.min && value <= field.max) return value;
  throw new CronSyntaxError(`has a ${field.name} that does not exist: '${part.slice(0, 20)}'; it is ${field.min} to ${field.max}${field.names === undefined ? '' : ` or ${field.names[0] ?? ''} to ${field.names.at(-1) ?? ''}`}`);
}
