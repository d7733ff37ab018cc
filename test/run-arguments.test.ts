import { expect, test } from '@jest/globals';

import { PARTS, parseRunArguments } from './run-arguments.ts';

test.each([
  { name: 'nothing', args: [], want: { parts: PARTS, names: [], keep: false } },
  { name: 'a part', args: ['lint'], want: { parts: ['lint'], names: [], keep: false } },
  { name: 'a part and a name', args: ['e2e', 'runner'], want: { parts: ['e2e'], names: ['runner'], keep: false } },
  { name: 'coverage, with what it measures', args: ['coverage'], want: { parts: ['unit', 'integration', 'coverage'], names: [], keep: false } },
  { name: 'a flag anywhere', args: ['--keep', 'e2e'], want: { parts: ['e2e'], names: [], keep: true } },
])('$name is understood', ({ args, want }) => {
  expect(parseRunArguments(args)).toEqual(want);
});

test.each([
  { name: 'an unknown part', args: ['units'], message: 'no part units' },
  { name: 'a name for a part without tests', args: ['lint', 'api'], message: 'lint takes no names' },
])('$name is refused with the usage', ({ args, message }) => {
  expect(() => parseRunArguments(args)).toThrow(message);
  expect(() => parseRunArguments(args)).toThrow('usage:');
});
