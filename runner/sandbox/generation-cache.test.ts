import { expect, test } from '@jest/globals';
import { GenerationCache } from './generation-cache.ts';

test('keeps what is used and forgets the rest', () => {
  const cache = new GenerationCache<number>(10);
  cache.set('kept', 1);
  for (let index = 0; index < 100; index += 1) {
    cache.set(`once ${index}`, index);
    expect(cache.get('kept')).toBe(1);
  }
  expect(cache.get('once 0')).toBeUndefined();
  expect(cache.get('once 99')).toBe(99);
});
