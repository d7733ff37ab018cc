import type { JsonObject } from '../../engine/item.ts';

/** Where the rules of a schedule are, in the form of `scheduleTrigger`: also of n8n's older nodes `cron` and `interval`. */
export function intervalsOf(type: string, parameters: JsonObject): { path: string; intervals: unknown } {
  if (type === 'cron') {
    const items = objectOf(parameters['triggerTimes'])['item'];
    return { path: 'triggerTimes.item', intervals: Array.isArray(items) ? items.map((item) => fromTriggerTime(objectOf(item))) : [] };
  }
  if (type === 'interval') {
    return { path: 'interval', intervals: [fromUnit(parameters['unit'] ?? 'seconds', parameters['interval'] ?? 1)] };
  }
  const rule = objectOf(parameters['rule']);
  return { path: 'rule.interval', intervals: rule['interval'] === undefined ? [{}] : rule['interval'] };
}

/** By n8n's `mode`, with its defaults: at 14:00. */
const MODES: Readonly<Record<string, (item: JsonObject) => JsonObject>> = {
  everyMinute: () => ({ field: 'minutes', minutesInterval: 1 }),
  everyHour: ({ minute = 0 }) => ({ field: 'hours', triggerAtMinute: minute }),
  everyDay: (item) => ({ field: 'days', ...timeOf(item) }),
  everyWeek: ({ weekday = '1', ...item }) => ({ field: 'weeks', triggerAtDay: [Number(weekday)], ...timeOf(item) }),
  everyMonth: ({ dayOfMonth = 1, ...item }) => ({ field: 'months', triggerAtDayOfMonth: dayOfMonth, ...timeOf(item) }),
  everyX: ({ unit = 'hours', value = 2 }) => fromUnit(unit, value),
  custom: ({ cronExpression }) => ({ field: 'cronExpression', expression: cronExpression }),
};

/** A mode that does not exist becomes a field that does not. */
function fromTriggerTime({ mode = 'everyDay', ...item }: JsonObject): JsonObject {
  const read = typeof mode === 'string' && Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
  return read === undefined ? { field: mode } : read(item);
}

function timeOf({ hour = 14, minute = 0 }: JsonObject): JsonObject {
  return { triggerAtHour: hour, triggerAtMinute: minute };
}

function fromUnit(unit: unknown, value: unknown): JsonObject {
  return { field: unit, [`${String(unit)}Interval`]: value };
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as JsonObject : {};
}
