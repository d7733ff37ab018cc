import { isDeepStrictEqual } from 'node:util';
import { MethodError } from './method-error.ts';

type List = readonly unknown[];
type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Elements that occur for the first time. Primitives are compared through a set, objects by their content. */
function distinct(list: List, key: (value: unknown) => unknown = (value) => value): unknown[] {
  const seen = new Set<unknown>();
  const seenObjects: unknown[] = [];
  return list.filter((value) => {
    const compared = key(value);
    if (typeof compared !== 'object' || compared === null) return !seen.has(compared) && seen.add(compared);
    if (seenObjects.some((other) => isDeepStrictEqual(other, compared))) return false;
    seenObjects.push(compared);
    return true;
  });
}

function has(list: List, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return list.includes(value);
  return list.some((other) => isDeepStrictEqual(other, value));
}

function listOf(value: unknown, method: string): List {
  if (!Array.isArray(value)) throw new MethodError(`${method}() expects an array`);
  return value as List;
}

function numbers(list: List, method: string): number[] {
  return list.map((value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number !== 'number' || Number.isNaN(number)) throw new MethodError(`${method}() expects numbers only, but found ${JSON.stringify(value) ?? typeof value}`);
    return number;
  });
}

const sum = (list: List, method: string): number => numbers(list, method).reduce((total, value) => total + value, 0);

function chunk(list: List, length: unknown): unknown[][] {
  const size = Math.trunc(Number(length));
  if (!(size > 0)) throw new MethodError('chunk() expects a length above zero');
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size));
}

/** The fields' values of each object: the value itself when an object has one of them, a list when it has several. */
function pluck(list: List, names: readonly unknown[]): unknown[] {
  if (names.length === 0) return [...list];
  return list.filter(isFields).flatMap((fields) => {
    const values = names.map(String).filter((name) => Object.hasOwn(fields, name)).map((name) => fields[name]);
    if (values.length === 0) return [];
    return values.length === 1 ? values : [values];
  });
}

function renameKeys(list: List, pairs: readonly unknown[]): unknown[] {
  if (pairs.length === 0 || pairs.length % 2 !== 0) throw new MethodError('renameKeys() expects pairs of names: from, to, …');
  const names = new Map(Array.from({ length: pairs.length / 2 }, (_, index) => [String(pairs[index * 2]), String(pairs[index * 2 + 1])]));
  return list.map((value) => (isFields(value) ? Object.fromEntries(Object.entries(value).map(([key, member]) => [names.get(key) ?? key, member])) : value));
}

function smartJoin(list: List, keyField: unknown, valueField: unknown): Fields {
  if (typeof keyField !== 'string' || typeof valueField !== 'string') throw new MethodError('smartJoin() expects the names of the key field and the value field');
  return Object.fromEntries(list.filter((value) => isFields(value) && Object.hasOwn(value, keyField)).map((value) => [String((value as Fields)[keyField]), (value as Fields)[valueField]]));
}

/** Merges objects of two arrays element by element; the fields of the first win. */
function merge(list: List, other: List): unknown[] {
  return Array.from({ length: Math.max(list.length, other.length) }, (_, index) => {
    const [mine, theirs] = [list[index], other[index]];
    if (isFields(mine) && isFields(theirs)) return { ...theirs, ...mine };
    return mine ?? theirs;
  });
}

function fieldNames(keys: readonly unknown[]): string[] {
  return keys.flatMap((key) => String(key).split(',')).map((key) => key.trim()).filter((key) => key !== '');
}

/** Data-transformation methods of arrays. They never change the array. */
export function arrayMethods(random: () => number) {
  const onlyDistinct = (self: List, ...keys: unknown[]): unknown[] => {
    const names = fieldNames(keys);
    if (names.length === 0) return distinct(self);
    return distinct(self, (value) => (isFields(value) ? names.map((name) => value[name]) : value));
  };
  return {
    append: (self: List, ...values: unknown[]) => [...self, ...values],
    average: (self: List) => (self.length === 0 ? 0 : sum(self, 'average') / self.length),
    chunk,
    compact: (self: List) => self.filter((value) => value !== null && value !== undefined && value !== ''),
    difference: (self: List, other: unknown) => self.filter((value) => !has(listOf(other, 'difference'), value)),
    first: (self: List) => self[0],
    intersection: (self: List, other: unknown) => distinct(self.filter((value) => has(listOf(other, 'intersection'), value))),
    isEmpty: (self: List) => self.length === 0,
    isNotEmpty: (self: List) => self.length > 0,
    last: (self: List) => self.at(-1),
    max: (self: List) => Math.max(...numbers(self, 'max')),
    merge: (self: List, other: unknown) => merge(self, listOf(other, 'merge')),
    min: (self: List) => Math.min(...numbers(self, 'min')),
    pluck: (self: List, ...names: unknown[]) => pluck(self, names),
    randomItem: (self: List) => self[Math.floor(random() * self.length)],
    removeDuplicates: onlyDistinct,
    renameKeys: (self: List, ...pairs: unknown[]) => renameKeys(self, pairs),
    smartJoin,
    sum: (self: List) => sum(self, 'sum'),
    toJsonString: (self: List) => JSON.stringify(self),
    union: (self: List, other: unknown) => distinct([...self, ...listOf(other, 'union')]),
    unique: onlyDistinct,
  };
}
