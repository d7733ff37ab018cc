import { expect, test } from '@jest/globals';
import { deletePath, getField, omitFields, pathKeys, pickFields, setPath } from './dot-path.ts';

test.each([
  ['a.b.c', ['a', 'b', 'c']], ['a[0].b', ['a', '0', 'b']], ['a["x y"].z', ['a', 'x y', 'z']], ["['a.b'].c", ['a.b', 'c']],
])('reads the path %s', (path, keys) => expect(pathKeys(path)).toEqual(keys));

test('prefers a key written with dots over the path', () => {
  expect(getField({ 'a.b': 1, a: { b: 2 } }, 'a.b')).toBe(1);
  expect(getField({ a: { b: 2 } }, 'a.b')).toBe(2);
  expect(getField({ a: { b: 2 } }, 'a.b', false)).toBeUndefined();
});

test('does not read what an object inherits', () => expect(getField({}, 'constructor.name')).toBeUndefined());

test('copies what it changes, and makes lists for numbers', () => {
  const shared = { deep: { kept: 1 } };
  const target = { shared };
  setPath(target, ['shared', 'deep', 'added'], 2);
  setPath(target, ['list', '1'], 'x');
  expect(target).toEqual({ shared: { deep: { kept: 1, added: 2 } }, list: [undefined, 'x'] });
  expect(shared).toEqual({ deep: { kept: 1 } });
});

test('never writes through a prototype', () => {
  const target = {};
  setPath(target, ['__proto__', 'polluted'], true);
  setPath(target, ['constructor', 'prototype', 'polluted'], true);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect(target).toEqual({});
});

test('picks, omits and deletes by path', () => {
  const json = { a: { b: 1, c: 2 }, d: 3 };
  expect(pickFields(json, ['a.b', 'none'])).toEqual({ a: { b: 1 } });
  expect(omitFields(json, ['a.b', 'd'])).toEqual({ a: { c: 2 } });
  const copy = { ...json };
  deletePath(copy, ['a', 'b']);
  expect(copy).toEqual({ a: { c: 2 }, d: 3 });
  expect(json).toEqual({ a: { b: 1, c: 2 }, d: 3 });
});
