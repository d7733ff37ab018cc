import { expect, test } from '@jest/globals';
import { encodePayload } from '../payload.ts';
import { checkObject, decodeReference, encodeReference, isReference } from './reference.ts';

const bytes = Buffer.from('an encoded payload');

test('a reference says which object it is, and is small', () => {
  const stored = encodeReference('live/2026-11-23/e/x', bytes);
  expect(stored.length).toBeLessThan(250);
  expect(decodeReference(stored)).toMatchObject({ key: 'live/2026-11-23/e/x', size: bytes.length });
  expect(checkObject(decodeReference(stored), bytes)).toBe(bytes);
});

test.each([null, 0, '', 'ÿ', [], {}, 'a'.repeat(20_000)])('nothing that is encoded looks like one: %p', async (value) => {
  expect(isReference(await encodePayload(value))).toBe(false);
  expect(isReference(encodeReference('k', bytes))).toBe(true);
});

test.each([
  ['gone', undefined],
  ['changed', Buffer.from('an encoded Payload')],
  ['cut off', bytes.subarray(1)],
])('an object that is %s is refused with its key', (_, found) => {
  const reference = decodeReference(encodeReference('live/2026-11-23/e/x', bytes));
  expect(() => checkObject(reference, found)).toThrow(expect.objectContaining({ code: 'ObjectMissing', message: expect.stringContaining('live/2026-11-23/e/x') }));
});

test('one of a later version is refused', () => {
  const stored = encodeReference('k', bytes);
  stored[3] = 2;
  expect(() => decodeReference(stored)).toThrow(expect.objectContaining({ code: 'ObjectMissing' }));
});
