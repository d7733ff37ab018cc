import { expect, test } from '@jest/globals';
import { decodePayload, encodePayload, pack, storableText } from './payload.ts';

test.each([0, 100, 8192, 200_000])('a payload of about %d bytes comes back as it was', async (size) => {
  const value = { text: 'abc'.repeat(size / 3), nul: '\u0000', half: '\ud800' };
  const bytes = await encodePayload(value);
  expect(decodePayload(bytes)).toEqual(value);
});

test('large payloads are compressed, small ones can be read as they are', async () => {
  expect((await encodePayload({ a: 1 })).toString()).toBe('{"a":1}');
  expect((await encodePayload('a'.repeat(100_000))).length).toBeLessThan(200);
});

test.each([{ value: 1n, name: 'a bigint' }, { value: undefined, name: 'nothing' }, { value: () => 1, name: 'a function' }])('$name is refused', async ({ value }) => {
  await expect(encodePayload(value)).rejects.toMatchObject({ code: 'PayloadRefused' });
});

test('packing counts from 1 and keeps the place of what is absent', () => {
  const { blob, starts, lengths } = pack([Buffer.from('ab'), undefined, Buffer.from(''), Buffer.from('cde')]);
  expect([blob.toString(), starts, lengths]).toEqual(['abcde', [1, null, 3, 3], [2, null, 0, 3]]);
});

test('text loses what PostgreSQL cannot hold', () => {
  expect(storableText('a\u0000b')).toBe('a\u{fffd}b');
});
