import { isDateTime } from './moment.ts';
import { isObject } from './json-value.ts';

/**
 * The value as JSON would carry it: dates as ISO 8601 text, NaN and the infinities as null, Map, Set and RegExp as {}, functions
 * and undefined left out. Hands back the same object when there is nothing to change, so that clean data costs a walk and no copy.
 */
export function toJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return scalar(value);
  if (Array.isArray(value)) return list(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (isDateTime(value)) return value.toISO();
  if ('toJSON' in value && typeof value.toJSON === 'function') return toJson(JSON.parse(JSON.stringify(value) ?? 'null'));
  if (value instanceof Map || value instanceof Set || value instanceof RegExp) return {};
  return isObject(value) ? object(value) : value;
}

function scalar(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
}

function list(values: readonly unknown[]): unknown {
  let copy: unknown[] | undefined;
  for (const [index, value] of values.entries()) {
    const clean = toJson(value) ?? null;
    if (clean === value) continue;
    copy ??= [...values];
    copy[index] = clean;
  }
  return copy ?? values;
}

function object(value: Record<string, unknown>): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(value)) {
    const clean = toJson(value[key]);
    if (clean === value[key] && clean !== undefined) continue;
    copy ??= { ...value };
    if (clean === undefined) delete copy[key];
    else copy[key] = clean;
  }
  return copy ?? value;
}
