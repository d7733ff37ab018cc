import { expect, test } from '@jest/globals';

import { formatElapsed } from './progress.ts';

test.each([
  { ms: 0, text: '0.0 s' },
  { ms: 1_250, text: '1.3 s' },
  { ms: 59_940, text: '59.9 s' },
  { ms: 60_000, text: '1 m 00 s' },
  { ms: 125_400, text: '2 m 05 s' },
])('$ms ms is shown as $text', ({ ms, text }) => {
  expect(formatElapsed(ms)).toBe(text);
});
