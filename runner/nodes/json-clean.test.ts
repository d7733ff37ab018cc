import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { toJson } from './json-clean.ts';

test('hands clean data back as the same object', () => {
  const value = { a: [1, { b: null }], c: 'x' };
  expect(toJson(value)).toBe(value);
});

test('writes values that JSON does not know as JSON would', () => {
  const date = new Date(0);
  const moment = DateTime.fromMillis(0, { zone: 'utc' });
  expect(toJson({ date, moment, none: undefined, nan: Number.NaN, list: [undefined, date], map: new Map([[1, 2]]), run: () => 1, big: 5n }))
    .toEqual({ date: '1970-01-01T00:00:00.000Z', moment: '1970-01-01T00:00:00.000Z', nan: null, list: [null, '1970-01-01T00:00:00.000Z'], map: {}, big: '5' });
});
