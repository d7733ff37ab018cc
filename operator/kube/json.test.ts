import { expect, test } from '@jest/globals';
import { covers, desiredHash, isApplied } from './desired.ts';
import { canonicalJson, cloneJson, sameJson } from './json.ts';
import type { ObjectMeta } from './object.ts';

test.each([
  [{ a: 1, b: undefined }, { a: 1 }, true],
  [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
  [{ a: [1, 2] }, { a: [2, 1] }, false],
  [{ a: null }, {}, false],
  [[], {}, false],
])('%j and %j are the same: %j', (a, b, same) => {
  expect(sameJson(a, b)).toBe(same);
  expect(sameJson(b, a)).toBe(same);
});

test('a clone is the same and shares nothing', () => {
  const value: unknown = JSON.parse('{"a":[1,{"b":null}],"__proto__":{"c":"x"}}');
  const clone = cloneJson(value) as { a: [number, object] };
  expect(JSON.stringify(clone)).toBe(JSON.stringify(value));
  clone.a[1] = { b: 2 };
  clone.a.pop();
  expect(JSON.stringify(value)).toBe('{"a":[1,{"b":null}],"__proto__":{"c":"x"}}');
});

test('canonical JSON does not depend on the order of keys', () => {
  expect(canonicalJson({ b: [{ d: 1, c: undefined }], a: 'x' })).toBe('{"a":"x","b":[{"d":1}]}');
});

test.each([
  { name: 'defaults that the server added', desired: { spec: { ports: [{ name: 'http', port: 80 }] } }, live: { spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }] } }, want: true },
  { name: 'an item that somebody added to a keyed list', desired: { c: [{ name: 'a', v: 1 }] }, live: { c: [{ name: 'x' }, { name: 'a', v: 1 }] }, want: true },
  { name: 'a keyed list in another order', desired: { c: [{ name: 'a' }, { name: 'b' }] }, live: { c: [{ name: 'b' }, { name: 'a' }] }, want: true },
  { name: 'a value that somebody changed', desired: { c: [{ name: 'a', v: 1 }] }, live: { c: [{ name: 'a', v: 2 }] }, want: false },
  { name: 'an item that somebody removed', desired: { c: [{ name: 'a' }] }, live: { c: [] }, want: false },
  { name: 'a plain list that grew', desired: { args: ['a'] }, live: { args: ['a', 'b'] }, want: false },
  { name: 'an empty map that the server dropped', desired: { emptyDir: {}, list: [] }, live: {}, want: true },
  { name: 'a field that is missing', desired: { a: 1 }, live: {}, want: false },
])('whether the live object covers the desired: $name', ({ desired, live, want }) => {
  expect(covers(live, desired)).toBe(want);
});

interface Wanted {
  metadata: ObjectMeta;
  data: Record<string, string>;
}

test('a field we no longer want is noticed by the hash, a change by somebody else by the comparison', () => {
  const wanted: Wanted = { metadata: { name: 'a' }, data: { x: '1' } };
  const live: Wanted = { ...wanted, metadata: { name: 'a', annotations: { 'm/applied': desiredHash(wanted) } } };
  const without: Wanted = { ...wanted, data: {} };
  expect(isApplied(wanted, live, 'm/applied')).toBe(true);
  expect(isApplied(without, live, 'm/applied')).toBe(false);
  const edited: Wanted = { ...live, data: { x: '2' } };
  expect(isApplied(wanted, edited, 'm/applied')).toBe(false);
  expect(isApplied(wanted, { ...live, metadata: { ...live.metadata, deletionTimestamp: 'now' } }, 'm/applied')).toBe(false);
});
