import { expect, test } from '@jest/globals';
import { MAX_CACHED_LENGTH } from '../executor/protocol.ts';
import { ResultLru } from './result-cache.ts';

function cacheAt(clock: { now: number }): { cache: ResultLru; reads: string[] } {
  const reads: string[] = [];
  return { reads, cache: new ResultLru({ monotonic: () => clock.now, onRead: (result) => reads.push(result) }) };
}

test('a result is there until its time is over', () => {
  const clock = { now: 0 };
  const { cache, reads } = cacheAt(clock);
  cache.write({ key: 'a', outputs: '[1]', ttlMs: 1000 });
  clock.now = 999;
  expect(cache.read('a')).toBe('[1]');
  clock.now = 1000;
  expect(cache.read('a')).toBeUndefined();
  expect(reads).toEqual(['hit', 'miss']);
});

test('what is too large is not kept, and takes the place of nothing but what had its key', () => {
  const { cache } = cacheAt({ now: 0 });
  cache.write({ key: 'a', outputs: 'old', ttlMs: 1000 });
  cache.write({ key: 'a', outputs: 'x'.repeat(MAX_CACHED_LENGTH + 1), ttlMs: 1000 });
  expect(cache.read('a')).toBeUndefined();
});

test('when the space is used up, what was used least recently goes', () => {
  const { cache } = cacheAt({ now: 0 });
  const large = 'x'.repeat(MAX_CACHED_LENGTH - 10);
  for (let n = 0; n < 32; n += 1) cache.write({ key: `k${n}`, outputs: large, ttlMs: 1000 });
  expect(cache.read('k0')).toBe(large);
  cache.write({ key: 'new', outputs: large, ttlMs: 1000 });
  expect(['k0', 'k1', 'k2', 'new'].map((key) => cache.read(key) !== undefined)).toEqual([true, false, true, true]);
});
