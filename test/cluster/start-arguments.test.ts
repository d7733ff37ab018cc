import { expect, test } from '@jest/globals';

import { parseStartArguments } from './start-arguments.ts';

test.each([
  { args: ['--cluster', 'local'] },
  { args: ['--cluster=local'] },
])('$args means the local cluster', ({ args }) => {
  expect(parseStartArguments(args)).toEqual({ target: 'local' });
});

test('no argument names no cluster', () => {
  expect(parseStartArguments([])).toEqual({});
});

test.each([
  { args: ['--cluster', 'moon'], message: 'no cluster of kind moon' },
  { args: ['--fast'], message: 'Only --cluster' },
  { args: ['--cluster', 'local', 'more'], message: 'Only --cluster' },
])('$args is refused', ({ args, message }) => {
  expect(() => parseStartArguments(args)).toThrow(message);
});
