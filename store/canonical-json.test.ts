import { expect, test } from '@jest/globals';
import { canonicalJson } from './canonical-json.ts';
import { revisionOf } from './revisions.ts';

test('the order of keys and absent values make no difference; the order of lists does', () => {
  expect(canonicalJson({ b: [1, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":1}]}');
  expect(canonicalJson({ a: null, b: [1, { d: 1 }] })).toBe(canonicalJson({ b: [1, { c: undefined, d: 1 }], a: null }));
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

test('texts are what they always were, since revisions are named after them', () => {
  const value = { z: 1, 10: 'a', 9: 'b', Z: { b: [{ y: null, x: [[], {}] }], a: '\u2028' }, é: [undefined, Number.NaN], '': true, list: [{ a: 1, b: 2 }, { b: 1, a: 2 }] };
  expect(canonicalJson(value)).toBe('{"9":"b","10":"a","":true,"Z":{"a":"\u2028","b":[{"x":[[],{}],"y":null}]},"list":[{"a":1,"b":2},{"a":2,"b":1}],"z":1,"é":[null,null]}');
  expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"d":1,"c":2}}'))).toBe('{"__proto__":{"c":2,"d":1},"b":1}');
  expect(value.list[1]).toEqual({ b: 1, a: 2 });
  expect(Object.keys(value.Z)).toEqual(['b', 'a']);
});

test('a revision is the SHA-256 of it', () => {
  expect(revisionOf({ nodes: [], id: 'shop/a', connections: [], name: 'a' })).toBe('7fcd6e09cbbe3b7b42af9e3bc958bd78c5699b44880b313467dd6a16a329c296');
});
