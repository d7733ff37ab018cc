import { expect, test } from '@jest/globals';
import { full, runSeed as seed } from '../../test/full.ts';
import { inChild } from './testing/in-child.ts';

const RUNS = full ? 100_000 : 5000;

test('random expressions neither crash nor hang nor get out', async () => {
  const { counts, problems } = await inChild<{ counts: Record<string, number>; problems: string[] }>(new URL('testing/fuzz.ts', import.meta.url), { input: { runs: RUNS, seed } });
  console.log(`${RUNS} random expressions with MILLRACE_TEST_SEED=${seed}: ${JSON.stringify(counts)}`);
  expect(problems).toEqual([]);
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(RUNS);
}, RUNS * 48);
