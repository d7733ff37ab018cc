import { expect, test } from '@jest/globals';
import { backoffMs, persist } from './backoff.ts';

test.each([
  { failures: 1, most: 50 }, { failures: 2, most: 100 }, { failures: 5, most: 800 }, { failures: 7, most: 2000 }, { failures: 500, most: 2000 },
])('after $failures failures the pause is anything up to $most ms', ({ failures, most }) => {
  expect(backoffMs(failures, () => 0)).toBe(0);
  expect(backoffMs(failures, () => 0.5)).toBe(most / 2);
});

/** A clock that only sleeping moves. */
function fakePatience() {
  let now = 0;
  return { elapsed: () => now, random: () => 0.999, sleep: async (ms: number) => { now += ms; } };
}

test('tries again while the error is transient and there is time, and then throws the last error', async () => {
  const seen: number[] = [];
  const patience = fakePatience();
  const trying = persist(async (failures) => { seen.push(failures); throw new Error(`try ${failures}`); }, { isTransient: () => true, giveUpMs: 1000, patience });
  await expect(trying).rejects.toThrow('try 4');
  expect(seen).toEqual([0, 1, 2, 3, 4]);
  expect(patience.elapsed()).toBeLessThanOrEqual(1000);
});

test('does not try again what failed for good', async () => {
  let tries = 0;
  const trying = persist(async () => { tries += 1; throw new Error('no'); }, { isTransient: () => false, giveUpMs: 1000, patience: fakePatience() });
  await expect(trying).rejects.toThrow('no');
  expect(tries).toBe(1);
});
