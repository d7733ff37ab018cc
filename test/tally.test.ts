import { expect, test } from '@jest/globals';

import { sum, tallyLine, tallyOfCheck, tallyOfJest } from './tally.ts';

test('tallies are added up over parts', () => {
  expect(sum([tallyOfCheck(true), tallyOfCheck(false), { passed: 5, failed: 1, skipped: 2 }])).toEqual({ passed: 6, failed: 2, skipped: 2 });
});

test.each([
  { tally: { passed: 3, failed: 0, skipped: 0 }, line: '3 passed, 0 failed' },
  { tally: { passed: 3, failed: 1, skipped: 2 }, line: '3 passed, 1 failed, 2 skipped' },
])('the closing line is $line', ({ tally, line }) => {
  expect(tallyLine(tally)).toBe(line);
});

test('a file that jest could not load counts as a failure', () => {
  const report = { numPassedTests: 4, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1, numRuntimeErrorTestSuites: 1 };
  expect(tallyOfJest(JSON.stringify(report))).toEqual({ passed: 4, failed: 2, skipped: 3 });
});

test.each([undefined, '"text"'])('without a report (%p) there is one failure', (text) => {
  expect(tallyOfJest(text)).toEqual(tallyOfCheck(false));
});
