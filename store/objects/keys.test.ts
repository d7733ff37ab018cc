import { expect, test } from '@jest/globals';
import { executionOf, fileKey, isOver, newKey } from './keys.ts';

const DAY_MS = 86_400_000;
/** 2026-11-23T12:00:00Z. */
const execution = '019db0f0-1a00-7abc-8def-0123456789ab';
const noon = Date.UTC(2026, 10, 23, 12);
const id = `${noon.toString(16).padStart(12, '0').replace(/^(.{8})/, '$1-')}-${execution.slice(14)}`;

test('a key has its kind, the day of the execution and the execution, and is never given twice', () => {
  const [first, second] = [newKey('live', id), newKey('live', id)];
  expect(first).toMatch(new RegExp(`^live/2026-11-23/${id}/[0-9a-f-]{36}$`));
  expect(second).not.toBe(first);
  expect(fileKey(id, 'f-1')).toBe(`files/2026-11-23/${id}/f-1`);
});

test.each([
  { key: newKey('kept', id), want: id },
  { key: fileKey(id, 'f-1'), want: id },
  { key: `other/2026-11-23/${id}/x`, want: undefined },
  { key: 'live/2026-11-23/notes.txt', want: undefined },
  { key: `live/2026-11-23/${id}/`, want: undefined },
])('the execution of $key is $want', ({ key, want }) => {
  expect(executionOf(key)).toBe(want);
});

test.each([
  { day: '2026-11-08', want: true },
  { day: '2026-11-09', want: false },
  { day: '2026-11-23', want: false },
  { day: 'notes', want: false },
])('with 14 days of history $day is over on 2026-11-23: $want', ({ day, want }) => {
  expect(isOver(day, 14, noon)).toBe(want);
  expect(isOver(day, 14, noon + DAY_MS / 2 - 1)).toBe(want);
});
