import { durationMs } from '../../engine/duration.ts';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { CronSyntaxError, parseCron } from './cron.ts';
import { intervalsOf } from './intervals.ts';
import { isTimezone } from './local-clock.ts';
import type { ScheduleRule } from './ticks.ts';

/** What happens to ticks that nobody could fire in time: none of them is made up for, the latest, or all up to the limit. */
export const Misfire = { Skip: 'skip', Latest: 'latest', All: 'all' } as const;
export type Misfire = (typeof Misfire)[keyof typeof Misfire];

/** A schedule, read and checked. Plain JSON, so that it can be stored. */
export interface Schedule {
  rules: ScheduleRule[];
  timezone: string;
  misfire: Misfire;
  /** Most missed ticks that are made up for when `misfire` is `all`. */
  misfireLimit: number;
  /** Ticks are fired up to this much later; how much is fixed for each schedule. */
  jitterMs: number;
}

export interface ScheduleProblem {
  code: 'ScheduleMissing' | 'ScheduleIsExpression' | 'ScheduleInvalid' | 'CronSyntax' | 'TimezoneUnknown';
  /** Dotted path of the parameter; absent for the timezone, which is a setting of the workflow. */
  parameter?: string;
  message: string;
}

const MAX_RULES = 50;
const MAX_JITTER_MS = 86_400_000;
export const DEFAULT_MISFIRE_LIMIT = 100;
export const MAX_MISFIRE_LIMIT = 1000;

class Refusal extends Error {
  readonly problem: ScheduleProblem;

  constructor(problem: ScheduleProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** Reads the parameters of a schedule trigger, or says what is wrong with them. `timezone` is the workflow's. */
export function readSchedule({ type, parameters = {} }: Pick<WorkflowNode, 'type' | 'parameters'>, timezone = 'UTC'): { schedule: Schedule } | { problem: ScheduleProblem } {
  try {
    if (!isTimezone(timezone)) throw new Refusal({ code: 'TimezoneUnknown', message: `the workflow's timezone '${timezone}' does not exist; use an IANA name such as Europe/Berlin` });
    return { schedule: { rules: readRules(type, parameters), timezone, ...readOptions(parameters) } };
  } catch (error) {
    if (error instanceof Refusal) return { problem: error.problem };
    throw error;
  }
}

function readRules(type: string, parameters: JsonObject): ScheduleRule[] {
  const { path, intervals } = intervalsOf(type, parameters);
  if (!Array.isArray(intervals) || intervals.length === 0) {
    throw new Refusal({ code: 'ScheduleMissing', parameter: path, message: 'has no rule; add one such as {field: hours, hoursInterval: 1}' });
  }
  if (intervals.length > MAX_RULES) throw invalid(path, `has ${intervals.length} rules; use at most ${MAX_RULES}`);
  return intervals.map((interval, index) => readRule(new Reader(asObject(interval) ?? {}, `${path}[${index}]`)));
}

function readRule(reader: Reader): ScheduleRule {
  const field = reader.text('field', 'days');
  const read = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
  if (read === undefined) throw invalid(reader.path('field'), `is '${field.slice(0, 40)}', which is none of ${Object.keys(FIELDS).join(', ')}`);
  return read(reader);
}

/** By n8n's `field`. What divides the next larger unit is aligned with it; other intervals run on evenly from when the schedule came into force. */
const FIELDS: Readonly<Record<string, (reader: Reader) => ScheduleRule>> = {
  seconds(reader) {
    const count = reader.integer('secondsInterval', { min: 1, max: 86_400, fallback: 30 });
    return 60 % count === 0 ? { cron: `*/${count} * * * * *` } : { periodMs: count * 1000 };
  },
  minutes(reader) {
    const count = reader.integer('minutesInterval', { min: 1, max: 10_080, fallback: 5 });
    return 60 % count === 0 ? { cron: count === 60 ? '0 * * * *' : `*/${count} * * * *` } : { periodMs: count * 60_000 };
  },
  hours(reader) {
    const count = reader.integer('hoursInterval', { min: 1, max: 8760, fallback: 1 });
    const minute = minuteOf(reader);
    return 24 % count === 0 ? { cron: `${minute} */${count} * * *` } : { periodMs: count * 3_600_000, minute };
  },
  days(reader) {
    const count = reader.integer('daysInterval', { min: 1, max: 3650, fallback: 1 });
    return every('day', count, `${minuteOf(reader)} ${hourOf(reader)} * * *`);
  },
  weeks(reader) {
    const count = reader.integer('weeksInterval', { min: 1, max: 520, fallback: 1 });
    return every('week', count, `${minuteOf(reader)} ${hourOf(reader)} * * ${reader.weekdays('triggerAtDay').join(',')}`);
  },
  months(reader) {
    const count = reader.integer('monthsInterval', { min: 1, max: 120, fallback: 1 });
    const day = reader.integer('triggerAtDayOfMonth', { min: 1, max: 31, fallback: 1 });
    return every('month', count, `${minuteOf(reader)} ${hourOf(reader)} ${day} * *`);
  },
  cronExpression(reader) {
    const cron = reader.text('expression', '').trim();
    try {
      parseCron(cron);
    } catch (error) {
      if (!(error instanceof CronSyntaxError)) throw error;
      throw new Refusal({ code: 'CronSyntax', parameter: reader.path('expression'), message: error.message });
    }
    return { cron };
  },
};

function every(unit: 'day' | 'week' | 'month', count: number, cron: string): ScheduleRule {
  return count === 1 ? { cron } : { cron, every: { unit, count } };
}

function hourOf(reader: Reader): number {
  return reader.integer('triggerAtHour', { min: 0, max: 23, fallback: 0 });
}

function minuteOf(reader: Reader): number {
  return reader.integer('triggerAtMinute', { min: 0, max: 59, fallback: 0 });
}

function readOptions(parameters: JsonObject): Pick<Schedule, 'misfire' | 'misfireLimit' | 'jitterMs'> {
  const reader = new Reader(asObject(parameters['options']) ?? {}, 'options');
  const given = reader.text('misfire', Misfire.Latest);
  const misfire = Object.values(Misfire).find((known) => known === given);
  if (misfire === undefined) throw invalid('options.misfire', `is none of ${Object.values(Misfire).join(', ')}`);
  return {
    misfire,
    misfireLimit: reader.integer('misfireLimit', { min: 1, max: MAX_MISFIRE_LIMIT, fallback: DEFAULT_MISFIRE_LIMIT }),
    jitterMs: reader.duration('jitter'),
  };
}

/** Reads what people, forms and other tools wrote: absent, null and `{}` are all "not given". */
class Reader {
  readonly #values: JsonObject;
  readonly #path: string;

  constructor(values: JsonObject, path: string) {
    this.#values = values;
    this.#path = path;
  }

  path(name: string): string {
    return `${this.#path}.${name}`;
  }

  text(name: string, fallback: string): string {
    const value = this.#value(name);
    if (value === undefined) return fallback;
    if (typeof value === 'string') return value;
    throw invalid(this.path(name), 'is not a text');
  }

  integer(name: string, { min, max, fallback }: { min: number; max: number; fallback: number }): number {
    const value = this.#value(name);
    if (value === undefined) return fallback;
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
    throw invalid(this.path(name), `is not a whole number from ${min} to ${max}`);
  }

  weekdays(name: string): number[] {
    const value = this.#value(name) ?? [0];
    const days = (Array.isArray(value) ? value : [value]).map(Number);
    if (days.length > 0 && days.every((day) => Number.isInteger(day) && day >= 0 && day <= 6)) return [...new Set(days)];
    throw invalid(this.path(name), 'is not a list of days from 0 (Sunday) to 6 (Saturday)');
  }

  duration(name: string): number {
    const text = this.text(name, '0s');
    try {
      const ms = durationMs(text);
      if (ms <= MAX_JITTER_MS) return ms;
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      throw invalid(this.path(name), `is '${text.slice(0, 20)}', which is no duration; write it like 30s or 5m`);
    }
    throw invalid(this.path(name), 'is longer than 24h');
  }

  #value(name: string): unknown {
    const value = Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
    if (typeof value === 'string' && value.startsWith('=')) {
      throw new Refusal({ code: 'ScheduleIsExpression', parameter: this.path(name), message: 'is an expression; a schedule is registered before anything runs, so write its value out' });
    }
    const absent = value === undefined || value === null || value === '' || (typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0);
    return absent ? undefined : value;
  }
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as JsonObject : undefined;
}

function invalid(parameter: string, message: string): Refusal {
  return new Refusal({ code: 'ScheduleInvalid', parameter, message });
}
