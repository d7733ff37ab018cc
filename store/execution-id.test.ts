import { expect, test } from '@jest/globals';
import { executionIds, firstIdAt, isExecutionId } from './execution-id.ts';

test('ids are UUIDv7s of their moment', () => {
  const id = executionIds(() => 0x0190_1234_5678, (bytes) => { bytes.fill(0xff); })();
  expect(id).toBe('01901234-5678-7000-bfff-ffffffffffff');
  expect(isExecutionId(id)).toBe(true);
});

test('ids sort in the order they were made in, within a millisecond, past its 4,096 and when the clock goes back', () => {
  let now = 1000;
  const next = executionIds(() => now);
  const ids = Array.from({ length: 10_000 }, () => next());
  now = 500;
  ids.push(next());
  now = 2000;
  ids.push(next());
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the first id of a moment is below every id of that moment and above those before', () => {
  const before = executionIds(() => 999)();
  const at = executionIds(() => 1000)();
  expect([at, firstIdAt(1000), before].sort()).toEqual([before, firstIdAt(1000), at]);
  expect(isExecutionId(firstIdAt(1000))).toBe(true);
});

test.each(['', 'x', '01901234-5678-7000-bfff-fffffffffff', "01901234-5678-7000-bfff-ffffffffffff'", '01901234-5678-7000-BFFF-FFFFFFFFFFFF'])('%j is no id', (text) => {
  expect(isExecutionId(text)).toBe(false);
});
