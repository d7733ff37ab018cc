import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Store } from '../../store/store.ts';
import { eventually } from '../eventually.ts';
import { runSeed, sample } from '../full.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { type CrashPoint, startStatementProxy, type StatementProxy } from '../postgres/statement-proxy.ts';
import { KEEP_ALL, newStore, nodeRun, publish, request, succeeded } from '../postgres/test-store.ts';

const WORKER = join(import.meta.dirname, 'queue-worker.ts');
const SAMPLE = 10;

let postgres: Postgres;
let proxy: StatementProxy;
let store: Store;
let database: Client;
let url: string;
let runs = 0;

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await startStatementProxy(postgres.port);
  ({ store, url } = await newStore(postgres));
  database = new Client({ connectionString: url });
  await database.connect();
}, 180_000);
afterAll(async () => {
  await database.end();
  await store.close();
  await proxy.close();
  await postgres.stop();
}, 180_000);

interface Names {
  workflow: string;
  pool: string;
  key: string;
}

/** A workflow with every limit there is, so that all statements are met. */
async function prepare(): Promise<Names> {
  runs += 1;
  const names = { workflow: `orders-${runs}`, pool: `pool-${runs}`, key: `key-${runs}` };
  await publish(store, {
    workflow: names.workflow, pool: names.pool,
    limits: { concurrency: { max: 1, key: 'n', policy: 'Queue' }, rateLimit: { count: 10, perMs: 1000, policy: 'Queue' } },
  });
  await store.pools.apply(names.pool, { maxRunning: 1 });
  return names;
}

/** Lets the worker run until it ends or is killed with SIGKILL at the point. Resolves to what it said. */
async function work({ workflow, pool, key }: Names, point: CrashPoint | undefined): Promise<{ said: string[]; killed: boolean; problems: string }> {
  const through = url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${proxy.port}`);
  let killed = false;
  proxy.arm(point, () => {
    killed = true;
    worker.kill('SIGKILL');
  });
  const worker = spawn(process.execPath, [WORKER, through, workflow, pool, key], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let problems = '';
  worker.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
  worker.stderr.on('data', (chunk: Buffer) => { problems += chunk.toString(); });
  await once(worker, 'close');
  return { said: output.split('\n').filter((line) => line !== ''), killed, problems };
}

async function rows(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await database.query<Record<string, unknown>>(text, [...values])).rows;
}

/** What the survivors do: the caller asks again, the lease runs out, another runner goes on. Resolves to how often the effect happened. */
async function recover({ workflow, pool, key }: Names, said: readonly string[]): Promise<number> {
  const promised = said.find((line) => line.startsWith('accepted '))?.slice(9);
  const [again] = await store.queue.enqueue([request({ workflow, pool, idempotencyKey: key })]);
  expect(again).toMatchObject({ accepted: true, ...(promised !== undefined && { id: promised, duplicate: true }) });
  let effects = said.filter((line) => line.startsWith('effect ')).length;
  await database.query('UPDATE millrace.runner SET expires_at = now() - interval \'1 ms\' WHERE pool = $1', [pool]);
  await eventually(async () => {
    await store.queue.reap();
    const { claims } = await store.queue.claim({ pool, runner: `survivor-${pool}`, limit: 10 });
    for (const claim of claims) {
      if (said.includes('committed')) expect(claim.checkpoints.length).toBe(1);
      if (claim.checkpoints.length === 0) effects += 1;
      else expect(claim.checkpoints).toMatchObject([{ sequence: 0, runs: [{ node: 'Charge' }] }]);
      if (said.includes('answered')) expect(claim.response).toMatchObject({ body: 'charged' });
      await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [nodeRun({ node: 'Charge' })], recordings: [] } }]);
      expect(await store.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }])).toEqual([]);
    }
    const [left] = await rows('SELECT count(*)::int AS n FROM millrace.queue WHERE pool = $1', [pool]);
    expect(left).toEqual({ n: 0 });
  });
  const history = await rows('SELECT id, status FROM millrace.execution WHERE workflow = $1', [workflow]);
  expect(history).toEqual([{ id: promised ?? expect.any(String), status: 'Succeeded' }]);
  const [leftover] = await rows(`SELECT (SELECT count(*)::int FROM millrace.checkpoint) AS checkpoints, (SELECT count(*)::int FROM millrace.gate WHERE workflow = $1) AS gates,
    (SELECT count(*)::int FROM millrace.dead_letter) AS letters`, [workflow]);
  expect(leftover).toEqual({ checkpoints: 0, gates: 0, letters: 0 });
  return effects;
}

test('a process killed before or after any statement of accept, claim, execute, commit and complete leaves one execution, which ends once', async () => {
  const whole = await prepare();
  const { said, problems } = await work(whole, undefined);
  expect({ said: said.map((line) => line.split(' ')[0]), problems }).toEqual({ said: ['open', 'accepted', 'effect', 'committed', 'answered', 'finished'], problems: '' });
  expect(await recover(whole, said)).toBe(1);
  const counts = new Map<string, number>();
  const points = proxy.seen.flatMap((statement): CrashPoint[] => {
    const occurrence = (counts.get(statement) ?? 0) + 1;
    counts.set(statement, occurrence);
    return (['before', 'after'] as const).map((when) => ({ statement, occurrence, when }));
  });
  expect([...counts.keys()]).toEqual(expect.arrayContaining(['enqueue', 'claim', 'claim-lock', 'claim-limited', 'COMMIT', 'renew', 'checkpoint-one', 'respond', 'finish']));
  let killed = 0;
  const tried = sample(points, SAMPLE, runSeed);
  for (const point of tried) {
    const names = await prepare();
    const run = await work(names, point);
    const where = `${point.when} ${point.statement} ${point.occurrence}`;
    // Notifications are gathered, so the last of them may not come again.
    if (run.killed) killed += 1;
    else expect([where, run.problems]).toEqual([where, '']);
    const effects = await recover(names, run.said);
    const committed = run.said.includes('committed');
    expect([where, effects >= 1 && effects <= (committed ? 1 : 2)]).toEqual([where, true]);
  }
  console.log(`Killed at ${killed} of ${tried.length} points tried; there are ${points.length}`);
  expect(killed).toBeGreaterThan(0);
}, 1_200_000);
