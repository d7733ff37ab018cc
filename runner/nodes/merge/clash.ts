import type { JsonObject } from '../../engine/item.ts';
import { isObject } from '../json-value.ts';

/** How fields that several inputs have are resolved. */
export interface ClashHandling {
  /** preferInput1, preferInput2 …, preferLast or addSuffix. */
  resolveClash: string;
  /** Merge objects below the first level too. */
  deep: boolean;
  /** Let an empty value of the preferred input give way. */
  overrideEmpty: boolean;
}

export function clashHandling(options: JsonObject, preferred: string): ClashHandling {
  const group = isObject(options.clashHandling) && isObject(options.clashHandling.values) ? options.clashHandling.values : {};
  return {
    resolveClash: typeof group.resolveClash === 'string' ? group.resolveClash : preferred,
    deep: group.mergeMode !== 'shallowMerge',
    overrideEmpty: group.overrideEmpty === true,
  };
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === '';

/** One object of several; a later one wins. Objects inside are merged key by key unless the merge is shallow. */
export function mergeObjects(parts: readonly JsonObject[], how: Pick<ClashHandling, 'deep' | 'overrideEmpty'>): JsonObject {
  const merged: JsonObject = { ...parts[0] };
  for (const part of parts.slice(1)) {
    for (const [key, value] of Object.entries(part)) {
      const present = Object.hasOwn(merged, key) ? merged[key] : undefined;
      if (how.overrideEmpty && isEmpty(value) && !isEmpty(present)) continue;
      merged[key] = how.deep && isObject(present) && isObject(value) ? mergeObjects([present, value], how) : value;
    }
  }
  return merged;
}

/** `{a: 1}` of input 2 as `{a_2: 1}`. */
export const withSuffix = (json: JsonObject, inputNumber: number): JsonObject =>
  Object.fromEntries(Object.entries(json).map(([key, value]) => [`${key}_${inputNumber}`, value]));

/** Combines one object per input; `parts` keep the place of their input, gaps are undefined. */
export function combineObjects(parts: readonly (JsonObject | undefined)[], how: ClashHandling): JsonObject {
  const present = parts.flatMap((json, index) => (json ? [{ json, number: index + 1 }] : []));
  if (how.resolveClash === 'addSuffix') return mergeObjects(present.map(({ json, number }) => withSuffix(json, number)), how);
  const preferred = Number(/^preferInput(\d+)$/.exec(how.resolveClash)?.[1] ?? 0);
  const ordered = preferred === 0 ? present : [...present.filter(({ number }) => number !== preferred), ...present.filter(({ number }) => number === preferred)];
  return mergeObjects(ordered.map(({ json }) => json), how);
}
