import { expect, test } from '@jest/globals';
import { DateTime } from 'luxon';
import { parseMoment } from './moment.ts';

test.each([
  ['ISO with zone', '2024-05-16T07:08:09+02:00', '2024-05-16T07:08:09.000+02:00'],
  ['ISO without zone, in UTC', '2024-05-16T07:08:09', '2024-05-16T07:08:09.000Z'],
  ['a day', '2024-05-16', '2024-05-16T00:00:00.000Z'],
  ['RFC 2822', 'Thu, 16 May 2024 07:08:09 +0000', '2024-05-16T07:08:09.000Z'],
  ['SQL', '2024-05-16 07:08:09', '2024-05-16T07:08:09.000Z'],
  ['US form', '05/16/2024', '2024-05-16T00:00:00.000Z'],
  ['seconds', 1_715_843_289, '2024-05-16T07:08:09.000Z'],
  ['milliseconds as text', '1715843289000', '2024-05-16T07:08:09.000Z'],
  ['a Date', new Date('2024-05-16T07:08:09Z'), '2024-05-16T07:08:09.000Z'],
  ['a DateTime', DateTime.fromISO('2024-05-16T07:08:09Z'), '2024-05-16T07:08:09.000Z'],
])('reads %s', (_, value, iso) => expect(parseMoment(value)?.toISO()).toBe(iso));

test.each(['', 'not a date', null, undefined, {}, 'x2024'])('does not take %p for a date', (value) => expect(parseMoment(value)).toBeUndefined());

test('moves into a zone, and refuses unknown ones', () => {
  expect(parseMoment('2024-07-01T00:00:00Z', 'America/New_York')?.toISO()).toBe('2024-06-30T20:00:00.000-04:00');
  expect(parseMoment('2024-07-01T00:00:00Z', 'No/Where')).toBeUndefined();
});
