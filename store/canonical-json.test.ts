import { expect, test } from '@jest/globals';
import { canonicalJson } from './canonical-json.ts';
import { revisionOf } from './revisions.ts';

test('the order of keys and absent values make no difference; the order of lists does', () => {
  expect(canonicalJson({ b: [1, { d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[1,{"d":1}]}');
  expect(canonicalJson({ a: null, b: [1, { d: 1 }] })).toBe(canonicalJson({ b: [1, { c: undefined, d: 1 }], a: null }));
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});

test('a revision is the SHA-256 of it', () => {
  expect(revisionOf({ nodes: [], id: 'shop/a', connections: [], name: 'a' })).toBe('7fcd6e09cbbe3b7b42af9e3bc958bd78c5699b44880b313467dd6a16a329c296');
});
