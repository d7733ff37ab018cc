import { expect, test } from '@jest/globals';
import { DateTime, Settings } from 'luxon';
import { methodCaller } from './call-method.ts';
import { makeMethods } from './method-table.ts';

Settings.defaultZone = 'UTC';
Settings.now = () => Date.parse('2024-06-01T00:00:00Z');
const call = methodCaller(makeMethods({ DateTime, random: () => 0 }), (value): value is DateTime => DateTime.isDateTime(value));
const at = (text: string): DateTime => DateTime.fromISO(text);
const shown = (value: unknown): unknown => (DateTime.isDateTime(value) ? value.toISO() : value instanceof Date ? `Date ${value.toISOString()}` : value);

const RECORDS = [{ name: 'Nathan', age: 42 }, { name: 'Jan', city: 'Berlin' }];

/** Documented examples, recordings, and the corners between them. */
test.each<readonly [self: unknown, name: string, args: readonly unknown[], want: unknown]>([
  ['aGk=', 'base64Decode', [], 'hi'], ['a b&ü', 'base64Encode', [], 'YSBiJsO8'], ['me@example.com', 'extractDomain', [], 'example.com'], ['http://n8n.io/workflows', 'extractDomain', [], 'n8n.io'], ['nothing here', 'extractDomain', [], undefined],
  ['My email is me@example.com', 'extractEmail', [], 'me@example.com'], ['none', 'extractEmail', [], undefined], ['Check out http://n8n.io', 'extractUrl', [], 'http://n8n.io'], ['see https://a.b/c?d=1. Then', 'extractUrl', [], 'https://a.b/c?d=1'],
  ['http://n8n.io/workflows', 'extractUrlPath', [], '/workflows'], ['x', 'extractUrlPath', [], undefined], ['hello', 'hash', [], '5d41402abc4b2a76b9719d911017c592'], ['hello', 'hash', ['base64'], 'aGVsbG8='], ['a', 'hash', ['sha3'], expect.stringMatching(/^[\da-f]{128}$/)],
  ['n8n.io', 'isDomain', [], true], ['http://n8n.io', 'isDomain', [], false], ['me@example.com', 'isEmail', [], true], ["It's me@example.com", 'isEmail', [], false], ['', 'isEmpty', [], true], [' ', 'isNotEmpty', [], true],
  ['123E23', 'isNumeric', [], true], ['hello', 'isNumeric', [], false], ['', 'isNumeric', [], false], ['https://n8n.io', 'isUrl', [], true], ['n8n.io', 'isUrl', [], false], ['{"a":1}', 'parseJson', [], { a: 1 }], ["{'a':1}", 'parseJson', [], undefined],
  ['Nathan says "hi"', 'quote', [], '"Nathan says \\"hi\\""'], ["it's", 'quote', ["'"], "'it\\'s'"], ['*bold*, [link]()', 'removeMarkdown', [], 'bold, link'], ['# T\n- a\n> b\n```\nc\n```', 'removeMarkdown', [], 'T\na\nb\n\nc\n'],
  ['2 * 3 * 4 and a_b_c', 'removeMarkdown', [], '2 * 3 * 4 and a_b_c'], ['<b>bold</b>, <a>link</a>', 'removeTags', [], 'bold, link'], ['déjà ß', 'replaceSpecialChars', [], 'deja ss'],
  ['No', 'toBoolean', [], false], ['hello', 'toBoolean', [], true], ['2024-03-29T18:06:31.798+01:00', 'toDateTime', [], '2024-03-29T17:06:31.798Z'], ['Fri, 29 Mar 2024 18:08:01 +0100', 'toDateTime', [], '2024-03-29T17:08:01.000Z'],
  ['20240329', 'toDateTime', [], '2024-03-29T00:00:00.000Z'], ['1711732132990', 'toDateTime', [], '2024-03-29T17:08:52.990Z'], ['29.03.2024', 'toDateTime', ['dd.MM.yyyy'], '2024-03-29T00:00:00.000Z'], ['2024-03-29 10:00:00', 'toDateTime', [], '2024-03-29T10:00:00.000Z'],
  ['2024-01-01', 'toDate', [], 'Date 2024-01-01T00:00:00.000Z'], ['1.23E10', 'toNumber', [], 12_300_000_000], ['12.9', 'toInt', [], 12], ['ff', 'toInt', [16], 255], ['12.5kg', 'toFloat', [], 12.5],
  ['quick! brown FOX', 'toSentenceCase', [], 'Quick! Brown fox'], ['quick brown $FOX', 'toSnakeCase', [], 'quick_brown_fox'], ['quick a brown fox', 'toTitleCase', [], 'Quick a Brown Fox'], ['the end', 'toTitleCase', [], 'The End'],
  ['name=Nathan Automat', 'urlEncode', [], 'name%3DNathan%20Automat'], ['name=Nathan Automat', 'urlEncode', [true], 'name=Nathan%20Automat'], ['name%3DNathan%20Automat', 'urlDecode', [], 'name=Nathan Automat'], ['name%3DNathan%20Automat', 'urlDecode', [true], 'name%3DNathan Automat'],
  ['say "x"', 'toJsonString', [], '"say \\"x\\""'],
  [-1.7, 'abs', [], 1.7], [1.2, 'ceil', [], 2], [1.8, 'floor', [], 1], [123_456.789, 'format', ['de-DE'], '123.456,789'], [1234.5, 'format', [], '1,234.5'], [5, 'isEmpty', [], false], [33, 'isOdd', [], true], [-3, 'isOdd', [], true], [4, 'isEven', [], true],
  [4.12, 'isInteger', [], false], [1.256, 'round', [], 1], [1.256, 'round', [2], 1.26], [1.005, 'round', [2], 1.01], [1234, 'round', [-2], 1200], [0, 'toBoolean', [], false], [1_708_695_471, 'toDateTime', ['s'], '2024-02-23T13:37:51.000Z'], [45_345, 'toDateTime', ['excel'], '2024-02-23T00:00:00.000Z'],
  [true, 'toNumber', [], 1], [false, 'isEmpty', [], false], [true, 'toInt', [], 1],
  [['a'], 'append', ['b', 'c'], ['a', 'b', 'c']], [[12, 1, 5], 'average', [], 6], [[1, 2, 3], 'chunk', [2], [[1, 2], [3]]], [[2, null, 1, '', 0, false], 'compact', [], [2, 1, 0, false]], [[1, { a: 1 }], 'difference', [[{ a: 1 }]], [1]], [[], 'first', [], undefined],
  [[1, 2, 2], 'intersection', [[2, 3]], [2]], [[1, 2], 'union', [[2, { a: 1 }]], [1, 2, { a: 1 }]], [[], 'isEmpty', [], true], [[3], 'last', [], 3], [[1, '12', 5], 'max', [], 12], [[12, 1], 'min', [], 1], [[{ a: 1 }, 2], 'merge', [[{ a: 2, b: 3 }, 4, 5]], [{ a: 1, b: 3 }, 2, 5]],
  [RECORDS, 'pluck', ['name'], ['Nathan', 'Jan']], [RECORDS, 'pluck', ['age'], [42]], [RECORDS, 'pluck', ['name', 'age'], [['Nathan', 42], 'Jan']], [['x', 'y'], 'randomItem', [], 'x'], [['q', 'b', 'q', { a: 1 }, { a: 1 }], 'removeDuplicates', [], ['q', 'b', { a: 1 }]],
  [[{ a: 1, b: 1 }, { a: 1, b: 2 }], 'removeDuplicates', ['a'], [{ a: 1, b: 1 }]], [[{ name: 'bob' }, 1], 'renameKeys', ['name', 'x'], [{ x: 'bob' }, 1]], [[{ f: 'age', v: 2 }, { f: 'city', v: 'B' }], 'smartJoin', ['f', 'v'], { age: 2, city: 'B' }], [[1, 2], 'sum', [], 3],
  [[1, 1], 'unique', [], [1]], [[1], 'toJsonString', [], '[1]'],
  [{ x: null, y: 2, z: '' }, 'compact', [], { y: 2 }], [{ a: 1 }, 'hasField', ['a'], true], [{ a: 1 }, 'hasField', ['toString'], false], [{}, 'isEmpty', [], true], [{ n: 'Mr Nathan', c: 'hanoi', a: 1 }, 'keepFieldsContaining', ['han'], { n: 'Mr Nathan', c: 'hanoi' }],
  [{ n: 'Mr Nathan', a: 1 }, 'removeFieldsContaining', ['han'], { a: 1 }], [{ a: 1, b: 2 }, 'removeField', ['a'], { b: 2 }], [{ a: 1 }, 'keys', [], ['a']], [{ a: 1 }, 'values', [], [1]], [{ name: 'Mr Nathan', city: 'hanoi' }, 'urlEncode', [], 'name=Mr+Nathan&city=hanoi'],
  [at('2024-05-15T12:34:56'), 'beginningOf', ['month'], '2024-05-01T00:00:00.000Z'], [at('2024-05-15'), 'beginningOf', [], '2024-05-13T00:00:00.000Z'], [at('2024-05-18'), 'diffTo', ['2024-05-20', 'days'], -2], [at('2024-05-18'), 'diffTo', ['2024-04-17', ['months', 'days']], { months: 1, days: 1 }],
  [at('2024-05-31'), 'diffToNow', [], -1], [at('2024-02-10'), 'endOfMonth', [], '2024-02-29T23:59:59.999Z'], [at('2024-03-30T18:49'), 'extract', ['month'], 3], [at('2024-03-30'), 'extract', [], 13], [at('2024-04-30'), 'format', ['dd/LL/yyyy'], '30/04/2024'],
  [at('2024-03-30'), 'isBetween', ['2025-06-01', '2020-06-01'], true], [at('2024-05-31T23:00:00'), 'isInLast', [2, 'hours'], true], [at('2024-05-31T21:00:00'), 'isInLast', [2, 'hours'], false], [at('2024-05-18'), 'isWeekend', [], true], [at('2024-03-30'), 'isDst', [], false],
  [at('2024-03-30'), 'minus', [7, 'days'], '2024-03-23T00:00:00.000Z'], [at('2024-03-30'), 'plus', [{ days: 1, hours: 1 }], '2024-03-31T01:00:00.000Z'], [new Date(0), 'plus', [1, 'day'], 'Date 1970-01-02T00:00:00.000Z'], [new Date(0), 'toDateTime', [], '1970-01-01T00:00:00.000Z'],
  [new Date(0), 'format', ['yyyy'], '1970'], [new Date(0), 'isEmpty', [], false],
  // Own methods come first, except on dates.
  [new Set([1]), 'union', [new Set([2])], new Set([1, 2])], [{ first: () => 'own' }, 'first', [], 'own'], [at('2024-01-01'), 'toISODate', [], '2024-01-01'], [undefined, 'isEmpty', [], true], [null, 'isNotEmpty', [], false],
])('%j.%s(%j)', (self, name, args, want) => {
  expect(shown(call(self, name)?.(...args))).toEqual(want);
});

test.each<readonly [self: unknown, name: string, args: readonly unknown[], message: string]>([
  [5, 'toTitleCase', [], 'toTitleCase() is only callable on type "String"'], [{}, 'merge', [{}], 'merge() is only callable on type "Array"'], ['x', 'format', [], 'format() is only callable on type "Number", "Date"'],
  [[1, 'x'], 'sum', [], 'sum() expects numbers only, but found "x"'], ['not a date', 'toDateTime', [], 'cannot convert to Luxon DateTime'], ['x', 'toNumber', [], "toNumber() cannot read 'x' as a number"], [1.5, 'isEven', [], 'isEven() is only callable on whole numbers'],
  [[1], 'chunk', [0], 'chunk() expects a length above zero'], [[1], 'renameKeys', ['a'], 'renameKeys() expects pairs of names: from, to, …'], ['x', 'hash', ['crc'], "hash() does not know the algorithm 'crc'. Use one of base64, md5, sha1, sha224, sha256, sha384, sha512, sha3, ripemd160."],
  [undefined, 'toTitleCase', [], 'Cannot call toTitleCase() on nothing'], [[1], 'union', [2], 'union() expects an array'],
])('%j.%s(%j) fails', (self, name, args, message) => {
  expect(() => call(self, name)?.(...args)).toThrow(expect.objectContaining({ message }));
});
