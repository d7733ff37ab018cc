import { expect, test } from '@jest/globals';
import { duration, durationMs } from './duration.ts';

test.each([['500ms', 500], ['30s', 30_000], ['1h30m', 5_400_000], ['1.5s', 1500], ['0s', 0]])('%s is %d ms', (text, want) => {
  expect(duration.parse(text)).toBe(text);
  expect(durationMs(text)).toBe(want);
});

test.each(['', '5', '5 m', '-1s', '1d', 's'])("'%s' is refused", (text) => {
  expect(duration.safeParse(text).success).toBe(false);
  expect(() => durationMs(text)).toThrow(RangeError);
});
