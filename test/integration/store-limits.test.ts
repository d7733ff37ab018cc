import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { assert, asyncProperty, integer, nat, record } from 'fast-check';
import { Client } from 'pg';
import type { Claim } from '../../store/lease.ts';
import type { Limits } from '../../store/limits.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import type { Store } from '../../store/store.ts';
import { eventually } from '../eventually.ts';
import { full, randomFrom, runSeed } from '../full.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { accept, claimOne, KEEP_ALL, newStore, publish, request, succeeded } from '../postgres/test-store.ts';

let postgres: Postgres;
let store: Store;
let database: Client;

beforeAll(async () => { postgres = await startPostgres({ settings: { shared_preload_libraries: "'pg_stat_statements'" } }); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);
beforeEach(async () => {
  const made = await newStore(postgres);
  store = made.store;
  database = new Client({ connectionString: made.url });
  await database.connect();
});
afterEach(async () => {
  await database.end();
  await store.close();
});

const one = (limits: Partial<NonNullable<Limits['concurrency']>> = {}): Limits => ({ concurrency: { max: 1, policy: 'Queue', ...limits } });
const customer = (id: number, change: Partial<EnqueueRequest> = {}): EnqueueRequest =>
  request({ trigger: { node: 'Start', items: [{ json: { body: { customer: id } } }] }, ...change });

async function claim(limit = 100, runner = 'runner-1'): Promise<Claim[]> {
  return (await store.queue.claim({ pool: 'default', runner, limit })).claims;
}

async function finish(...claims: readonly Claim[]): Promise<string[]> {
  return store.queue.finish(claims.map(({ executionId, fence }) => ({ executionId, fence, result: succeeded(), save: KEEP_ALL })));
}

/** How many slots are taken, by what the gates say; empty when all gates are free. */
async function held(): Promise<number[]> {
  const { rows } = await database.query<{ held: number }>('SELECT held FROM millrace.gate ORDER BY held');
  return rows.map((row) => row.held);
}

async function statusOf(id: string): Promise<string | undefined> {
  return (await store.executions.get(id))?.status;
}

const ids = (claims: readonly Claim[]): string[] => claims.map(({ executionId }) => executionId);

test('Queue: the next one starts when one ends, in the order in which they came', async () => {
  await publish(store, { limits: one({ max: 2 }) });
  const accepted: string[] = [];
  for (let n = 0; n < 5; n += 1) accepted.push(await accept(store));
  const order: string[] = [];
  for (let running = await claim(); running.length > 0; running = await claim()) {
    expect(running.length).toBeLessThanOrEqual(2);
    order.push(...ids(running));
    await finish(...running);
  }
  expect(order).toEqual(accepted);
  expect(await held()).toEqual([]);
});

test('a group is what has the same value at the key; one does not wait for another', async () => {
  await publish(store, { limits: one({ key: 'body.customer' }) });
  await store.queue.enqueue([customer(1), customer(1), customer(2), request(), request()]);
  expect((await claim()).length).toBe(3);
  expect(await held()).toEqual([1, 1, 1]);
});

test('Drop: what is over the limit is refused and leaves nothing, not even its idempotency key', async () => {
  await publish(store, { limits: one({ policy: 'Drop' }) });
  const outcomes = await store.queue.enqueue([request({ idempotencyKey: 'a' }), request({ idempotencyKey: 'b' }), request({ idempotencyKey: 'b' }), request()]);
  expect(outcomes).toMatchObject([{ accepted: true }, ...Array.from({ length: 3 }, () => ({ accepted: false, reason: 'ConcurrencyLimit' }))]);
  expect(await store.queue.enqueue([request({ idempotencyKey: 'a' })])).toMatchObject([{ accepted: true, duplicate: true }]);
  await finish(await claimOne(store));
  expect(await store.queue.enqueue([request({ idempotencyKey: 'b' })])).toMatchObject([{ accepted: true, duplicate: false }]);
});

test('Replace: the newest goes on; a queued one ends as canceled, a running one is told to stop and holds its slot until it has', async () => {
  await publish(store, { limits: one({ policy: 'Replace' }) });
  const first = await accept(store);
  const running = await claimOne(store);
  const second = await accept(store);
  expect(await store.queue.renew({ runner: 'runner-1', leases: [running] })).toEqual({ lost: [], canceled: [first] });
  expect(await claim()).toEqual([]);
  const third = await accept(store);
  expect([await statusOf(first), await statusOf(second), await statusOf(third)]).toEqual(['Running', 'Canceled', 'Queued']);
  await store.queue.finish([{ ...running, result: { status: 'Canceled', runs: [] }, save: KEEP_ALL }]);
  expect(ids(await claim())).toEqual([third]);
});

test('a slot is held through waits, releases, crashes and takeovers, and given back by an end, a cancellation and a burial', async () => {
  await publish(store, { limits: one() });
  const [first, second, third] = [await accept(store), await accept(store), await accept(store)];
  let running = await claimOne(store);
  await store.queue.wait([{ ...running, wait: { node: 'Pause', on: 'webhook' } }]);
  expect(await claim()).toEqual([]);
  await store.queue.resume({ executionId: first, node: 'Pause', items: [] });
  running = await claimOne(store);
  await store.queue.release([running]);
  running = await claimOne(store);
  await store.queue.crash([{ ...running, reason: 'Test' }]);
  expect(ids(await claim())).toEqual([first]);
  await database.query("UPDATE millrace.runner SET expires_at = now() - interval '1 ms'");
  await store.queue.reap();
  expect(await statusOf(second)).toBe('Queued');
  await store.queue.cancel([first]);
  running = await claimOne(store);
  expect(running.executionId).toBe(second);
  await database.query("INSERT INTO millrace.pool (name, max_crashes) VALUES ('default', 1)");
  await store.queue.crash([{ ...running, reason: 'Test' }]);
  expect(await statusOf(second)).toBe('Failed');
  running = await claimOne(store);
  expect(running.executionId).toBe(third);
  await finish(running);
  expect(await held()).toEqual([]);
});

test('canceling one that waits for its turn gives nothing back', async () => {
  await publish(store, { limits: one() });
  const [, second, third] = [await accept(store), await accept(store), await accept(store)];
  const running = await claimOne(store);
  expect(await store.queue.cancel([second])).toEqual([second]);
  expect(await claim()).toEqual([]);
  await finish(running);
  expect(ids(await claim())).toEqual([third]);
});

test('delayed work takes its place when its time has come', async () => {
  await publish(store, { limits: one({ policy: 'Drop' }) });
  const delayed = await accept(store, { delayMs: 100 });
  const running = (await store.queue.enqueue([request()]))[0];
  const first = await claimOne(store);
  expect(running).toMatchObject({ accepted: true, id: first.executionId });
  await eventually(async () => {
    expect(await claim()).toEqual([]);
    expect((await database.query("SELECT 1 FROM millrace.queue WHERE state = 'Blocked'")).rowCount).toBe(1);
  });
  await finish(first);
  expect(ids(await claim())).toEqual([delayed]);
});

test('limits that change hold for what comes; what waits starts under the new ones', async () => {
  await publish(store, { limits: one() });
  for (let n = 0; n < 4; n += 1) await accept(store);
  expect((await claim()).length).toBe(1);
  await publish(store, { limits: one({ max: 3 }) });
  await store.sweep();
  expect((await claim()).length).toBe(2);
  // Another key: other groups.
  await publish(store, { limits: one({ key: 'body.customer' }) });
  await store.queue.enqueue([customer(1), customer(1)]);
  expect((await claim()).length).toBe(1);
  await publish(store);
  await store.sweep();
  await accept(store);
  expect((await claim()).length).toBe(3);
});

test('a rate lets a burst start at once and the rest evenly, whoever asks', async () => {
  await publish(store, { limits: { rateLimit: { count: 3, perMs: 60_000, policy: 'Queue' } } });
  await Promise.all(Array.from({ length: 6 }, async () => store.queue.enqueue([request(), request()])));
  const { rows } = await database.query<{ at: number }>('SELECT extract(epoch FROM run_at)::float8 * 1000 AS at FROM millrace.queue ORDER BY run_at');
  const starts = rows.map(({ at }) => at);
  expect((await claim()).length).toBe(3);
  starts.forEach((at, index) => {
    const later = starts[index + 3];
    // The first three are noted with the time of their transaction, which began a little before the bucket was asked.
    if (later !== undefined && index >= 3) expect(later - at).toBeCloseTo(60_000, -1);
  });
  expect(starts.length).toBe(12);
});

test('a rate with Drop refuses what is over it, says when there is room, and does not forget', async () => {
  await publish(store, { limits: { rateLimit: { count: 2, perMs: 600, key: 'body.customer', policy: 'Drop' } } });
  const outcomes = await store.queue.enqueue([customer(1), customer(1), customer(1, { idempotencyKey: 'k' }), customer(2)]);
  expect(outcomes).toMatchObject([{ accepted: true }, { accepted: true }, { accepted: false, reason: 'RateLimited', retryMs: expect.any(Number) }, { accepted: true }]);
  await eventually(async () => { expect(await store.queue.enqueue([customer(1, { idempotencyKey: 'k' })])).toMatchObject([{ accepted: true, duplicate: false }]); });
});

test('a pool runs at most so many over all its runners, and so many of one namespace', async () => {
  await publish(store);
  await publish(store, { namespace: 'other' });
  await store.queue.enqueue(Array.from({ length: 40 }, (_, n) => request({ namespace: n % 4 === 0 ? 'other' : 'shop' })));
  await database.query("INSERT INTO millrace.pool (name, max_running, namespace_max_running) VALUES ('default', 7, 4)");
  const claims = (await Promise.all(Array.from({ length: 12 }, async (_, n) => claim(5, `runner-${n}`)))).flat();
  const shops = (some: readonly Claim[]): number => some.filter(({ namespace }) => namespace === 'shop').length;
  expect([claims.length, shops(claims) <= 4, claims.length - shops(claims) <= 4]).toEqual([7, true, true]);
  await finish(...claims);
  expect((await claim()).length).toBe(7);
  await database.query('UPDATE millrace.pool SET max_running = NULL, namespace_max_running = NULL');
  expect((await claim()).length).toBe(26);
});

test('executions that wait for a slot cost the others nothing', async () => {
  await database.query('CREATE EXTENSION pg_stat_statements');
  await publish(store, { limits: one() });
  await accept(store);
  await publish(store, { workflow: 'free' });
  const blocks = async (): Promise<number> => {
    await store.queue.enqueue([request({ workflow: 'free' })]);
    await database.query('SELECT pg_stat_statements_reset()');
    const claims = await claim(1);
    expect(claims.length).toBe(1);
    const { rows } = await database.query<{ blocks: number }>("SELECT sum(shared_blks_hit + shared_blks_read)::int AS blocks FROM pg_stat_statements WHERE query LIKE '%picked AS%'");
    await finish(...claims);
    return rows[0]?.blocks ?? Number.NaN;
  };
  await finish(await claimOne(store));
  const before = await blocks();
  const { rows: [column] } = await database.query<{ names: string }>(
    "SELECT string_agg(column_name, ', ') AS names FROM information_schema.columns WHERE table_schema = 'millrace' AND table_name = 'queue' AND column_name <> 'id'");
  const gated = await accept(store);
  await accept(store);
  await database.query(`INSERT INTO millrace.queue (id, ${column?.names}) SELECT gen_random_uuid(), ${column?.names} FROM millrace.queue, generate_series(1, 100000) WHERE state = 'Blocked'`);
  await database.query('VACUUM ANALYZE millrace.queue');
  const [first] = await claim(1);
  expect(first?.executionId).toBe(gated);
  const after = await blocks();
  expect({ before, after, within: after <= 2 * before + 40 }).toMatchObject({ within: true });
  // Passing a slot on does not look at all who wait, either.
  await database.query('SELECT pg_stat_statements_reset()');
  if (first) await finish(first);
  const { rows: [passing] } = await database.query<{ blocks: number }>("SELECT max(shared_blks_hit + shared_blks_read)::int AS blocks FROM pg_stat_statements WHERE query LIKE '%pass_gates%'");
  expect(passing?.blocks).toBeLessThan(400);
}, 120_000);

interface World {
  random: () => number;
  pool: string;
  max: number;
  /** Started and not ended, by group: what may never be more than `max`. */
  under: Map<number, Set<string>>;
  over: string[];
  ended: Set<string>;
  crashed: Set<string>;
  writing: boolean;
}

const groupOf = ({ trigger }: Claim): number => (trigger.items[0]?.json['body'] as { customer?: number } | undefined)?.customer ?? 0;

/** What may happen to an execution between its claim and its end. */
async function treat(world: World, lease: Claim): Promise<void> {
  const { queue } = store;
  const under = world.under.get(groupOf(lease)) ?? new Set();
  world.under.set(groupOf(lease), under.add(lease.executionId));
  if (under.size > world.max) world.over.push(`${under.size} of group ${groupOf(lease)}`);
  await new Promise((resolve) => { setTimeout(resolve, world.random() * 4); });
  const fate = world.random();
  if (fate < 0.1) await queue.release([lease]);
  else if (fate < 0.2) await queue.wait([{ ...lease, wait: { node: 'Pause', until: store.now() + 10 * world.random() } }]);
  else if (fate < 0.25 && !world.crashed.has(lease.executionId)) {
    world.crashed.add(lease.executionId);
    await queue.crash([{ ...lease, reason: 'Test' }]);
  } else if (fate < 0.3 && !world.crashed.has(lease.executionId)) {
    world.crashed.add(lease.executionId);
    await database.query('UPDATE millrace.queue SET runner = $2 WHERE id = $1', [lease.executionId, 'dead']);
    await database.query("INSERT INTO millrace.runner (name, pool, expires_at) VALUES ('dead', $1, now() - interval '1 s') ON CONFLICT DO NOTHING", [world.pool]);
    await queue.reap();
  } else {
    under.delete(lease.executionId);
    if (fate < 0.4) await queue.cancel([lease.executionId]);
    world.ended.add(lease.executionId);
    const result = fate < 0.4 ? { status: 'Canceled', runs: [] } as const : succeeded();
    await queue.finish([{ ...lease, result, save: KEEP_ALL }]);
  }
}

const scenario = record({ max: integer({ min: 1, max: 4 }), groups: integer({ min: 1, max: 3 }), runners: integer({ min: 2, max: 5 }), seed: nat() });

test('never more than max of a group run, nothing starves and nothing is lost, whatever runners do', async () => {
  let run = 0;
  await assert(asyncProperty(scenario, async ({ max, groups, runners, seed }) => {
    run += 1;
    const world: World = { random: randomFrom(seed), pool: `pool-${run}`, max, under: new Map(), over: [], ended: new Set(), crashed: new Set(), writing: true };
    const workflow = `orders-${run}`;
    await publish(store, { workflow, pool: world.pool, limits: one({ max, key: 'body.customer' }) });
    const accepted: string[] = [];
    const writers = Array.from({ length: 3 }, async () => {
      for (let n = 0; n < 6; n += 1) {
        const batch = Array.from({ length: 1 + Math.floor(world.random() * 4) }, () => customer(Math.floor(world.random() * groups), { workflow }));
        for (const outcome of await store.queue.enqueue(batch)) if (outcome.accepted) accepted.push(outcome.id);
      }
    });
    const workers = Array.from({ length: runners }, async (_, n) => {
      const deadline = Date.now() + 60_000;
      while ((world.writing || world.ended.size < accepted.length) && Date.now() < deadline) {
        const { claims } = await store.queue.claim({ pool: world.pool, runner: `${world.pool}/${n}`, limit: 1 + Math.floor(world.random() * 4) });
        await Promise.all(claims.map(async (lease) => treat(world, lease)));
        if (claims.length === 0) await new Promise((resolve) => { setTimeout(resolve, 5); });
      }
    });
    await Promise.all(writers);
    world.writing = false;
    await Promise.all(workers);
    expect(world.over).toEqual([]);
    expect(new Set(accepted)).toEqual(world.ended);
    expect((await store.executions.statuses(accepted)).filter(({ finishedAt }) => finishedAt === undefined)).toEqual([]);
    expect(await held()).toEqual([]);
  }), { numRuns: full ? 100 : 6, seed: runSeed, endOnFailure: true });
}, full ? 1_800_000 : 240_000);
