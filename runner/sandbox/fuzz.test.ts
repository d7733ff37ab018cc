import { expect, test } from '@jest/globals';
import { inChild } from './testing/in-child.ts';

const RUNS = 5000;

test('random expressions neither crash nor hang nor get out', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { counts, problems } = await inChild<{ counts: Record<string, number>; problems: string[] }>(new URL('testing/fuzz.ts', import.meta.url), { input: { runs: RUNS, seed } });
  console.log(`${RUNS} random expressions (seed ${seed}): ${JSON.stringify(counts)}`);
  expect(problems).toEqual([]);
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(RUNS);
}, 240_000);
