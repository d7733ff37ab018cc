import { types } from 'node:util';

const MAX_DEPTH = 1000;

/** Data that is nested too deeply or contains itself. */
export class NotPlainDataError extends Error {}

/**
 * Copies a value to plain data by JSON's rules: no functions, getters, proxies, thenables or class instances survive, dates
 * become ISO text, NaN and infinities null. At the top a Date stays a Date, numbers stay as they are, functions and
 * symbols become undefined. Throws NotPlainDataError, or whatever getters and toJSON methods of the value throw.
 */
export function toPlain(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) return types.isDate(value) ? new Date(Reflect.apply(Date.prototype.getTime, value, [])) : copy(value, 0);
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
}

function copy(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : null;
    case 'bigint':
      return String(value);
    case 'object':
      return value === null ? null : copyObject(value, depth);
    default:
      return undefined;
  }
}

function copyObject(value: object, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new NotPlainDataError('The data is nested too deeply or contains itself');
  if (Array.isArray(value)) return copyArray(value, depth);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return copy(Reflect.apply(toJSON, value, ['']), depth + 1);
  if (types.isBoxedPrimitive(value)) return copy(value.valueOf(), depth + 1);
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const member = copy((value as Record<string, unknown>)[key], depth + 1);
    if (member !== undefined) setOwn(result, key, member);
  }
  return result;
}

function copyArray(value: readonly unknown[], depth: number): unknown[] {
  const result: unknown[] = [];
  for (let index = 0; index < value.length; index += 1) result.push(copy(value[index], depth + 1) ?? null);
  return result;
}

/** Sets a property of its own, whatever its name; `__proto__` would set the prototype otherwise. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else target[key] = value;
}
