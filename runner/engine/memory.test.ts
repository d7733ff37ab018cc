import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('testing/memory-run.ts', import.meta.url));

test.each([
  { load: 'items', runs: 12 },
  { load: 'loop', runs: 100_004 },
])('$load: $runs node runs stay inside 512 MiB', async ({ load, runs }) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-old-space-size=400', program, load]);
  const { maxRssMiB, ...rest } = JSON.parse(stdout) as { status: string; runs: number; maxRssMiB: number };
  expect(rest).toEqual({ status: 'Succeeded', runs });
  expect(maxRssMiB).toBeLessThan(512);
}, 120_000);
