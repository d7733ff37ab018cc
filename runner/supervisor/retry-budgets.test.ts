import { expect, test } from '@jest/globals';
import { RetryBudgets } from './retry-budgets.ts';

const BUDGET = { retries: 2, per: '10s' };

function budgets(): { take(workflow?: string): boolean; pass(ms: number): void; refused(): number } {
  let now = 0;
  let refused = 0;
  const made = new RetryBudgets({ monotonic: () => now, onRefused: () => (refused += 1) });
  return { take: (workflow = 'shop/a') => made.take(workflow, BUDGET), pass: (ms) => (now += ms), refused: () => refused };
}

test('so many tries at once, and no more', () => {
  const { take, refused } = budgets();
  expect([take(), take(), take()]).toEqual([true, true, false]);
  expect(refused()).toBe(1);
});

test('tries come back evenly, also while they are asked for in vain, and never more than the budget', () => {
  const { take, pass } = budgets();
  expect([take(), take()]).toEqual([true, true]);
  for (let n = 0; n < 4; n += 1) {
    pass(1000);
    expect(take()).toBe(false);
  }
  pass(1000);
  expect([take(), take()]).toEqual([true, false]);
  pass(1_000_000);
  expect([take(), take(), take()]).toEqual([true, true, false]);
});

test('every workflow has its own', () => {
  const { take } = budgets();
  expect([take(), take(), take('shop/b')]).toEqual([true, true, true]);
});

test('a budget of none', () => {
  expect(new RetryBudgets({ monotonic: () => 0, onRefused: () => undefined }).take('shop/a', { retries: 0, per: '1m' })).toBe(false);
});
