import { expect, test } from '@jest/globals';
import { conditionValue } from './condition-value.ts';
import { legacyComparison } from './legacy.ts';
import { operatorFor, parsePattern } from './operators.ts';

test.each<[string, string, unknown, unknown, boolean]>([
  ['string', 'equals', null, '', true], ['string', 'notContains', undefined, 'a', true], ['string', 'empty', null, undefined, true],
  ['string', 'regex', 'A1', '/^a\\d$/i', true], ['string', 'notRegex', 'x', 'y', true],
  ['number', 'gt', 2, 1, true], ['number', 'lt', null, 1, false], ['number', 'gte', 1, 1, true], ['number', 'notEquals', undefined, 1, true],
  ['number', 'empty', null, undefined, true], ['number', 'exists', Number.NaN, undefined, false],
  ['boolean', 'true', undefined, undefined, false], ['boolean', 'false', undefined, undefined, true], ['boolean', 'equals', false, false, true],
  ['dateTime', 'after', 2, 1, true], ['dateTime', 'before', undefined, 1, false], ['dateTime', 'afterOrEquals', 1, 1, true],
  ['array', 'contains', ['a'], 'a', true], ['array', 'lengthGt', [1, 2], 1, true], ['array', 'lengthEquals', undefined, 0, true], ['array', 'empty', [], undefined, true],
  ['object', 'empty', {}, undefined, true], ['object', 'notEmpty', { a: 1 }, undefined, true], ['object', 'exists', null, undefined, false],
])('%s %s of %p and %p is %p', (...[type, operation, left, right, want]) => expect(operatorFor(type, operation)(left, right, true)).toBe(want));

test('ignores case when told to', () => {
  expect(operatorFor('string', 'contains')('ABC', 'b', false)).toBe(true);
  expect(operatorFor('array', 'contains')(['ABC'], 'abc', false)).toBe(true);
  expect(operatorFor('array', 'contains')(['ABC'], 'abc', true)).toBe(false);
});

test('judges equal texts equally often with a pattern that keeps its place', () => {
  const global = operatorFor('string', 'regex');
  expect([1, 2, 3].map(() => global('aa', '/a/g', true))).toEqual([true, true, true]);
});

test.each<[unknown, string]>([['5', 'number'], [5, 'string'], ['true', 'boolean'], ['[]', 'array'], ['x', 'dateTime'], [[], 'object']])(
  'refuses %p as %s when strict', (value, type) => {
    expect(() => conditionValue(value, type === 'number' ? 'number' : type === 'string' ? 'string' : type === 'boolean' ? 'boolean' : type === 'array' ? 'array' : type === 'object' ? 'object' : 'dateTime', false))
      .toThrow(expect.objectContaining({ code: 'ConditionType' }));
  });

test('converts when loose, and says what cannot be converted', () => {
  expect(conditionValue('5', 'number', true)).toBe(5);
  expect(conditionValue(5, 'string', true)).toBe('5');
  expect(conditionValue('TRUE', 'boolean', true)).toBe(true);
  expect(conditionValue('', 'boolean', true)).toBe(false);
  expect(conditionValue('["a"]', 'array', true)).toEqual(['a']);
  expect(conditionValue('{"a":1}', 'object', true)).toEqual({ a: 1 });
  expect(conditionValue('1970-01-01T00:00:01Z', 'dateTime', false)).toBe(1000);
  expect(() => conditionValue('no', 'boolean', true)).toThrow(expect.objectContaining({ code: 'ConditionType' }));
});

test('gives stable codes for what does not exist', () => {
  expect(() => operatorFor('string', 'like')).toThrow(expect.objectContaining({ code: 'UnknownOperator' }));
  expect(() => parsePattern('(')).toThrow(expect.objectContaining({ code: 'InvalidPattern' }));
  expect(() => legacyComparison('string', 'like')).toThrow(expect.objectContaining({ code: 'UnknownOperator' }));
});

test.each<[string, string | undefined, unknown, unknown, boolean]>([
  ['string', undefined, 'a', 'a', true], ['number', undefined, 1, 2, true], ['number', 'largerEqual', undefined, 0, true],
  ['string', 'isEmpty', '', undefined, true], ['string', 'notContains', 'abc', 'd', true], ['dateTime', undefined, '2024-02-01', '2024-01-01', true],
])('compares as the old versions do: %s %s', (...[type, operation, left, right, want]) => expect(legacyComparison(type, operation)(left, right)).toBe(want));
