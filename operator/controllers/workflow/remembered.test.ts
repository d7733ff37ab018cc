import { expect, jest, test } from '@jest/globals';
import { Remembered } from './remembered.ts';

test('what is asked for again is not computed again, also when it has no result', () => {
  const compute = jest.fn((text: string) => (text === 'fine' ? undefined : text.length));
  const remembered = new Remembered(compute);
  for (const _ of [1, 2, 3]) expect([remembered.of('fine'), remembered.of('four')]).toEqual([undefined, 4]);
  expect(compute).toHaveBeenCalledTimes(2);
});

test('what is used again and again stays while others come and go, and long texts are not kept', () => {
  const compute = jest.fn((text: string) => text.length);
  const remembered = new Remembered(compute);
  const callsOf = (text: string): number => compute.mock.calls.filter(([given]) => given === text).length;
  remembered.of('once');
  for (let index = 0; index < 20_000; index += 1) {
    expect(remembered.of(`other ${index}`)).toBe(`other ${index}`.length);
    remembered.of('often');
  }
  remembered.of('once');
  expect([callsOf('often'), callsOf('once')]).toEqual([1, 2]);
  const long = 'x'.repeat(1000);
  for (const _ of [1, 2]) expect(remembered.of(long)).toBe(1000);
  expect(callsOf(long)).toBe(2);
});
