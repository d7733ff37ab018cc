import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { executionIds } from '../../store/execution-id.ts';
import { readMigrations } from '../../store/migrate.ts';
import { migrate, openStore, type Store } from '../../store/store.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { accept, claimOne, newStore, publish, request, succeeded } from '../postgres/test-store.ts';

let postgres: Postgres;
let store: Store;
let client: Client;
let url: string;

const DAY_MS = 86_400_000;

beforeAll(async () => { postgres = await startPostgres(); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);
beforeEach(async () => {
  const fresh = await newStore(postgres);
  ({ store, url } = fresh);
  client = new Client({ connectionString: url });
  await client.connect();
  await publish(store);
});
afterEach(async () => {
  await client.end();
  await store.close();
});

const idAt = (ms: number): string => executionIds(() => ms)();

/** An execution that was accepted so many days ago and has ended. */
async function ended(daysAgo: number, change: { status?: 'Succeeded' | 'Failed'; error?: { code: string; message: string } } = {}): Promise<string> {
  const id = idAt(Date.now() - daysAgo * DAY_MS);
  const [outcome] = await store.queue.enqueue([request()]);
  if (outcome?.accepted !== true) throw new Error('Not accepted');
  await client.query('UPDATE millrace.queue SET id = $1 WHERE id = $2', [id, outcome.id]);
  const claim = await claimOne(store);
  await store.queue.finish([{ ...claim, save: { success: 'All', failure: 'All' }, result: succeeded(change) }]);
  return id;
}

async function partitionOf(id: string): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>('SELECT tableoid::regclass::text AS name FROM millrace.execution WHERE id = $1', [id]);
  return rows[0]?.name.replace('millrace.', '');
}

async function days(): Promise<string[]> {
  const { rows } = await client.query<{ partition: string }>('SELECT partition FROM millrace.history_day ORDER BY until');
  return rows.map(({ partition }) => partition);
}

const dayName = (ms: number): string => `execution_${new Date(ms).toISOString().slice(0, 10).replaceAll('-', '')}`;

test('days to come have partitions, and executions go to the one of their day', async () => {
  expect(await days()).toEqual(['execution_before', ...[1, 2, 3].map((n) => dayName(Date.now() + n * DAY_MS))]);
  expect(await partitionOf(await ended(0))).toBe('execution_before');
  expect(await partitionOf(await ended(-2))).toBe(dayName(Date.now() + 2 * DAY_MS));
  expect(await partitionOf(await ended(-30))).toBe('execution_default');
});

test('a day that is made late takes over what the default partition holds of it', async () => {
  const id = await ended(-3);
  const name = dayName(Date.now() + 3 * DAY_MS);
  // As if nobody had swept for days.
  await client.query(`
    WITH moved AS (DELETE FROM millrace.${name} RETURNING *) SELECT 1;
    ALTER TABLE millrace.execution DETACH PARTITION millrace.${name}; DROP TABLE millrace.${name}; DELETE FROM millrace.history_day WHERE partition = '${name}'`);
  const stray = await ended(-3);
  expect(await partitionOf(stray)).toBe('execution_default');
  await store.sweep();
  expect(await partitionOf(stray)).toBe(name);
  expect((await store.executions.statuses([stray, id])).map((execution) => execution.id)).toEqual([stray]);
});

test('old days are dropped as a whole, and nothing else is', async () => {
  const old = await ended(0);
  const young = await ended(-1);
  const late = await ended(-40);
  await client.query("UPDATE millrace.history_day SET until = current_date - 15 WHERE partition = 'execution_before'");
  await client.query("UPDATE millrace.execution SET finished_at = now() - interval '15 days' WHERE id = $1", [late]);
  await Promise.all([store.sweep(14), store.sweep(14)]);
  expect(await days()).not.toContain('execution_before');
  expect((await store.executions.statuses([old, young, late])).map(({ id }) => id)).toEqual([young]);
});

test('a retention that a long query stands in the way of is tried again', async () => {
  await client.query("UPDATE millrace.history_day SET until = current_date - 15 WHERE partition = 'execution_before'");
  const reader = new Client({ connectionString: url });
  await reader.connect();
  await reader.query('BEGIN; SELECT count(*) FROM millrace.execution');
  const swept = store.sweep(14);
  expect(await accept(store)).toBeDefined();
  await reader.query('COMMIT');
  await reader.end();
  await swept;
  expect(await days()).not.toContain('execution_before');
});

test('executions are found by words of their error, beginnings of ids, mode and time', async () => {
  const failed = await ended(0, { status: 'Failed', error: { code: 'HttpStatus', message: 'GET https://Example.com/orders answered 503' } });
  const other = await ended(0, { status: 'Failed', error: { code: 'InvalidJson', message: 'Größe \u0000 ist keine Zahl' } });
  const fine = await ended(0);
  const found = async (filter: Parameters<Store['executions']['list']>[0]): Promise<string[]> => (await store.executions.list(filter)).executions.map(({ id }) => id);
  expect(await found({ search: 'example ord 503' })).toEqual([failed]);
  expect(await found({ search: 'httpst', namespace: 'shop', workflow: 'orders', status: 'Failed' })).toEqual([failed]);
  expect(await found({ search: 'größe' })).toEqual([other]);
  expect(await found({ search: "';--" })).toEqual([]);
  expect(await found({ search: fine.slice(0, 36) })).toEqual([fine]);
  expect(await found({ search: fine.replaceAll('-', '').slice(0, 30) })).toEqual([fine]);
  expect(await found({ mode: 'Manual' })).toEqual([]);
  expect(await found({ mode: 'Webhook', workflow: 'orders', namespace: 'shop' })).toEqual([fine, other, failed]);
  expect(await found({ until: Date.now() - DAY_MS })).toEqual([]);
  expect(await found({ until: Date.now() + DAY_MS, since: Date.now() - DAY_MS, status: 'Succeeded' })).toEqual([fine]);
});

test('a payload of megabytes is compressed, out of its row in chunks, and comes back whole', async () => {
  const text = Array.from({ length: 300_000 }, (_, index) => `line ${(index * 7919) % 1_000_003}`).join(' ');
  await accept(store, { trigger: { node: 'Start', items: [{ json: { text } }] } });
  const claim = await claimOne(store);
  const run = { node: 'Start', runIndex: 0, status: 'success', source: [null], outputs: [[{ json: { text } }]], startedAt: 1, durationMs: 1 } as const;
  await store.queue.finish([{ ...claim, result: succeeded({ runs: [run] }) }]);
  expect(await store.executions.nodeRuns(claim.executionId)).toEqual([run]);
  const { rows: [stored] } = await client.query<{ bytes: number; chunks: number }>(`
    SELECT octet_length(data) AS bytes, pg_column_toast_chunk_id(data) IS NOT NULL AS chunks FROM millrace.execution WHERE id = $1`, [claim.executionId]);
  expect(stored).toMatchObject({ chunks: true });
  expect(stored?.bytes).toBeLessThan(text.length / 2);
});

test('a table with a history becomes the first partition', async () => {
  const oldUrl = await postgres.database();
  const known = await readMigrations();
  const upgrade = known.findIndex(({ name }) => name.endsWith('history-days'));
  const old = new Client({ connectionString: oldUrl });
  await old.connect();
  await old.query(`CREATE SCHEMA millrace;
    CREATE TABLE millrace.migration (number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, breaking boolean NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
  for (const { number, name, checksum, breaking } of known.slice(0, upgrade)) {
    await old.query(await readFile(new URL(`../../store/migrations/${name}.sql`, import.meta.url), 'utf8'));
    await old.query('INSERT INTO millrace.migration VALUES ($1, $2, $3, $4)', [number, name, checksum, breaking]);
  }
  const ids = [idAt(Date.now() - 40 * DAY_MS), idAt(Date.now()), idAt(Date.now() + 2 * DAY_MS)];
  await old.query(`
    INSERT INTO millrace.execution (id, namespace, workflow, uid, revision, mode, status, pool, priority, created_at, fence, crashes, kept, brief)
    SELECT id, 'shop', 'orders', 'u', '', 'Webhook', 'Succeeded', 'default', 5, now(), 1, 0, 'All', '{}' FROM unnest($1::uuid[]) id`, [ids]);
  await old.end();
  await migrate({ url: oldUrl, applicationName: 'test' });
  const upgraded = await openStore({ url: oldUrl, applicationName: 'test' });
  expect((await upgraded.executions.list({})).executions.map(({ id }) => id)).toEqual([...ids].reverse());
  await upgraded.close();
});
