import { expect, test } from '@jest/globals';
import { growth } from './growth.ts';

const sawtooth = (leak: number): number[] => Array.from({ length: 90 }, (_, index) => 50 + (index % 9) * 4 + index * leak);

test('a heap that is collected now and then has not grown', () => {
  const { before, after } = growth([...Array.from({ length: 30 }, (_, index) => index), ...sawtooth(0).slice(30)]);
  expect(after / before).toBeCloseTo(1, 1);
});

test('a leak below the noise is seen', () => {
  const { before, after } = growth(sawtooth(0.5));
  // Thirty samples of half a unit each.
  expect(after - before).toBeGreaterThan(12);
});
