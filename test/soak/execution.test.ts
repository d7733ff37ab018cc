import { expect, jest, test } from '@jest/globals';
import { figureTable } from '../bench/figure-table.ts';
import { isFlat, soakFigures } from '../bench/soak.ts';
import { runSoak } from '../bench/soak-run.ts';
import { runSeed } from '../full.ts';
import { SOAK_SECONDS } from './soak-seconds.ts';

jest.setTimeout((SOAK_SECONDS + 900) * 1000);

test(`${SOAK_SECONDS} s of mixed load while runners, an api and PostgreSQL are killed: nothing acknowledged is lost, and nothing leaks`, async () => {
  const report = await runSoak({ seconds: SOAK_SECONDS, seed: runSeed, progress: (text) => process.stderr.write(`  soak: ${text}\n`) });
  process.stderr.write(`${figureTable(soakFigures(report))}\n`);
  expect(report.wrong).toEqual([]);
  expect(report).toMatchObject({ acknowledged: report.sent, duplicates: 0, effects: report.expectedEffects });
  expect(report.faults.runnerKills).toBeGreaterThan(0);
  expect(report.grown.filter((each) => !isFlat(each))).toEqual([]);
});
