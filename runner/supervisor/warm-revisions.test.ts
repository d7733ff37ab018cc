import { expect, test } from '@jest/globals';
import { WarmRevisions } from './warm-revisions.ts';

test('remembers what ran last', () => {
  const warm = new WarmRevisions(2);
  for (const revision of ['a', 'b', 'a', 'c']) warm.ran(revision);
  expect([...warm]).toEqual(['a', 'c']);
  expect(['a', 'b', 'c'].map((revision) => warm.has(revision))).toEqual([true, false, true]);
});
