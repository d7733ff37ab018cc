import type { JsonObject } from '../engine/item.ts';

/** Keys that would reach an object's prototype; no path may write through them. */
const FORBIDDEN = new Set(['__proto__', 'prototype', 'constructor']);

const SEGMENT = /[^.[\]]+|\[(?:(["'])(.*?)\1|([^\]]*))\]/g;

const parsed = new Map<string, readonly string[]>();

/** The keys of a dotted path: `a.b[0]["x y"]` → a, b, 0, x y. Parsed once per distinct path. */
export function pathKeys(path: string): readonly string[] {
  const known = parsed.get(path);
  if (known) return known;
  const keys = [...path.matchAll(SEGMENT)].map((match) => match[2] ?? match[3] ?? match[0]);
  if (parsed.size > 10_000) parsed.clear();
  parsed.set(path, keys);
  return keys;
}

/** A dotted path, or with `dots` false one key as it is written. */
export const keysOf = (path: string, dots = true): readonly string[] => (dots ? pathKeys(path) : [path]);

const isContainer = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null;

export function getPath(value: unknown, keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) {
    if (!isContainer(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

/** The value of a field: a key written with dots wins over the path, as users expect of `{"a.b": 1}`. */
export function getField(json: JsonObject, path: string, dots = true): unknown {
  if (Object.hasOwn(json, path)) return json[path];
  return dots ? getPath(json, pathKeys(path)) : undefined;
}

/** A list for a numeric key, else an object. */
function containerFor(key: string): JsonObject {
  const empty: unknown = /^\d+$/.test(key) ? [] : {};
  return isContainer(empty) ? empty : {};
}

/**
 * Sets a value inside `target` and copies every object on the way, so that what other items share stays as it is.
 * `target` itself is changed; it must belong to the caller.
 */
export function setPath(target: JsonObject, keys: readonly string[], value: unknown): void {
  if (keys.some((key) => FORBIDDEN.has(key))) return;
  let current = target;
  for (const [depth, key] of keys.entries()) {
    const next = keys[depth + 1];
    if (next === undefined) {
      current[key] = value;
      return;
    }
    const existing = Object.hasOwn(current, key) ? current[key] : undefined;
    const copy = isContainer(existing) ? copyOf(existing) : containerFor(next);
    current[key] = copy;
    current = copy;
  }
}

/** Removes what a path names, copying on the way like {@link setPath}. */
export function deletePath(target: JsonObject, keys: readonly string[]): void {
  let current = target;
  for (const [depth, key] of keys.entries()) {
    if (!Object.hasOwn(current, key)) return;
    if (depth === keys.length - 1) {
      delete current[key];
      return;
    }
    const existing = current[key];
    if (!isContainer(existing)) return;
    const copy = copyOf(existing);
    current[key] = copy;
    current = copy;
  }
}

function copyOf(value: JsonObject): JsonObject {
  const copy: unknown = Array.isArray(value) ? [...(value as unknown[])] : { ...value };
  return isContainer(copy) ? copy : {};
}

/** Only the named fields; absent ones are left out. */
export function pickFields(json: JsonObject, fields: readonly string[], dots = true): JsonObject {
  const picked: JsonObject = {};
  for (const field of fields) {
    const value = getField(json, field, dots);
    if (value !== undefined) setPath(picked, Object.hasOwn(json, field) ? [field] : keysOf(field, dots), value);
  }
  return picked;
}

/** All but the named fields. */
export function omitFields(json: JsonObject, fields: readonly string[], dots = true): JsonObject {
  const rest = { ...json };
  for (const field of fields) deletePath(rest, Object.hasOwn(rest, field) ? [field] : keysOf(field, dots));
  return rest;
}
