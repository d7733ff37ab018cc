import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { newStore } from '../postgres/test-store.ts';

const exec = promisify(execFile);
const MINUTE = 60_000;

let postgres: Postgres;

beforeAll(async () => { postgres = await startPostgres(); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);

interface Seen {
  id: string;
  delayed: string;
  lost: string[];
  refused: string[];
  early: number;
  remainingMs: number;
  storeNow: number;
  wrong: number;
}

test.each([5 * MINUTE, -5 * MINUTE])('a clock that is wrong by %i ms changes nothing: leases, delays, deadlines, ids and times are the database\'s', async (skew) => {
  const { store, url } = await newStore(postgres);
  const { stdout } = await exec(process.execPath, ['--import', join(import.meta.dirname, 'skewed-clock.ts'), join(import.meta.dirname, 'skewed-client.ts'), url], {
    env: { ...process.env, MILLRACE_TEST_SKEW_MS: String(skew) },
  });
  const seen = JSON.parse(stdout) as Seen;
  expect(Math.abs(seen.wrong - Date.now() - skew)).toBeLessThan(MINUTE);
  expect(Math.abs(seen.storeNow - Date.now())).toBeLessThan(MINUTE);
  expect(seen).toMatchObject({ lost: [], refused: [], early: 0, remainingMs: 60_000 });
  expect(Math.abs(parseInt(seen.id.replaceAll('-', '').slice(0, 12), 16) - Date.now())).toBeLessThan(MINUTE);
  const [done, delayed] = [await store.executions.get(seen.id), await store.executions.get(seen.delayed)];
  expect([done?.status, delayed?.status]).toEqual(['Succeeded', 'Queued']);
  expect(Math.abs((done?.finishedAt ?? 0) - Date.now())).toBeLessThan(MINUTE);
  await store.close();
}, 60_000);
