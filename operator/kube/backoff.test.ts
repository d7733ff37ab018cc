import { expect, test } from '@jest/globals';
import { Backoff, fullJitter } from './backoff.ts';
import { TokenBucket } from './token-bucket.ts';

const options = { baseMs: 100, capMs: 1000 };

test('the delay is anywhere between nothing and a bound that doubles up to the cap', () => {
  expect([0, 1, 2, 3, 4, 5, 1000].map((attempt) => fullJitter(attempt, options, () => 1))).toEqual([100, 200, 400, 800, 1000, 1000, 1000]);
  expect(fullJitter(3, options, () => 0)).toBe(0);
});

test('the time a server asks for is a floor, and a success starts over', () => {
  const backoff = new Backoff(options, () => 0.5);
  expect([backoff.next(), backoff.next(), backoff.next(2000)]).toEqual([50, 100, 2200]);
  backoff.reset();
  expect(backoff.next()).toBe(50);
});

test('a token bucket allows a burst, then a rate, and never saves up more than the burst', () => {
  let now = 0;
  const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, () => now);
  expect([bucket.reserve(), bucket.reserve(), bucket.reserve(), bucket.reserve()]).toEqual([0, 0, 100, 200]);
  now = 200;
  expect(bucket.tryTake()).toBe(false);
  now = 10_000;
  expect([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()]).toEqual([true, true, false]);
});
