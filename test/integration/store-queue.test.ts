import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { EnqueueRequest } from '../../store/request.ts';
import type { Store } from '../../store/store.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { accept, claimOne, KEEP_ALL, newStore, publish, request, succeeded } from '../postgres/test-store.ts';
import { eventually } from '../eventually.ts';

let postgres: Postgres;
let store: Store;
let url: string;

beforeAll(async () => { postgres = await startPostgres(); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);
beforeEach(async () => { ({ store, url } = await newStore(postgres)); });
afterEach(async () => store.close());

async function sql(text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<Record<string, unknown>>(text);
  await client.end();
  return rows;
}

async function drain(limit = 1): Promise<string[]> {
  const order: string[] = [];
  for (;;) {
    const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit });
    if (claims.length === 0) return order;
    order.push(...claims.map(({ trigger }) => trigger.node ?? ''));
    await store.queue.finish(claims.map(({ executionId, fence }) => ({ executionId, fence, result: succeeded(), save: KEEP_ALL })));
  }
}

test('a batch is answered in order, each request by itself', async () => {
  const { stable } = await publish(store);
  await publish(store, { workflow: 'draft', active: false });
  const outcomes = await store.queue.enqueue([
    request(),
    request({ workflow: 'unknown' }),
    request({ workflow: 'draft' }),
    request({ workflow: 'draft', mode: 'Manual' }),
    request({ revision: 'f'.repeat(64) }),
    request({ revision: 'nonsense' }),
    request({ revision: stable }),
    request({ namespace: 'other' }),
  ]);
  expect(outcomes.map((outcome) => (outcome.accepted ? outcome.revision.slice(0, 8) : outcome.reason))).toEqual([
    stable.slice(0, 8), 'WorkflowNotFound', 'WorkflowInactive', expect.stringMatching(/^[0-9a-f]{8}$/), 'RevisionNotFound', 'RevisionNotFound',
    stable.slice(0, 8), 'WorkflowNotFound',
  ]);
  expect(await store.queue.stats('default')).toMatchObject({ ready: 3, delayed: 0, running: 0 });
});

test('a claim has everything a runner needs', async () => {
  const { stable } = await publish(store, { priority: 7, timeoutMs: 60_000, save: { success: 'Summary', failure: 'All' } });
  const id = await accept(store, { parent: '01900000-0000-7000-8000-000000000000', workflowRun: 'run-uid' });
  expect(await claimOne(store)).toEqual({
    executionId: id, fence: 1, crashes: 0, namespace: 'shop', workflow: 'orders', uid: 'uid-1', revision: stable, mode: 'Webhook', priority: 7,
    trigger: { node: 'Start', items: [{ json: { n: 1 } }] }, checkpoints: [], staticData: { global: {}, nodes: {} },
    save: { success: 'Summary', failure: 'All' }, remainingMs: 60_000, createdAt: expect.any(Number),
    parent: '01900000-0000-7000-8000-000000000000', workflowRun: 'run-uid',
  });
});

test('one idempotency key is one execution: in a batch, between batches and after its end', async () => {
  await publish(store);
  const both = await store.queue.enqueue([request({ idempotencyKey: 'k' }), request({ idempotencyKey: 'k' }), request({ idempotencyKey: 'other' })]);
  const ids = both.map((outcome) => (outcome.accepted ? [outcome.id, outcome.duplicate] : []));
  expect(ids[1]).toEqual([ids[0]?.[0], true]);
  expect(ids[2]?.[1]).toBe(false);
  expect((await drain()).length).toBe(2);
  const [again] = await store.queue.enqueue([request({ idempotencyKey: 'k' })]);
  expect(again).toMatchObject({ accepted: true, id: ids[0]?.[0], duplicate: true });
  expect(await drain()).toEqual([]);
});

test('racing requests with one key are one execution', async () => {
  await publish(store);
  const outcomes = await Promise.all(Array.from({ length: 20 }, async () => store.queue.enqueue([request({ idempotencyKey: 'race' })])));
  const accepted = outcomes.flat().filter((outcome) => outcome.accepted);
  expect(new Set(accepted.map(({ id }) => id)).size).toBe(1);
  expect(accepted.filter(({ duplicate }) => !duplicate).length).toBe(1);
  expect((await drain()).length).toBe(1);
});

test('an idempotency key is free again after its window', async () => {
  await publish(store);
  const first = await accept(store, { idempotencyKey: 'k', idempotencyWindowMs: 1 });
  const second = await eventually(async () => {
    const id = await accept(store, { idempotencyKey: 'k', idempotencyWindowMs: 1 });
    expect(id).not.toBe(first);
    return id;
  });
  expect(second).toMatch(/^[0-9a-f-]{36}$/);
  await store.sweep();
  expect(await sql('SELECT * FROM millrace.idempotency')).toEqual([]);
});

test.each([{ weight: 0, canaries: 0 }, { weight: 100, canaries: 200 }])('a canary of weight $weight gets $canaries of 200', async ({ weight, canaries }) => {
  const { stable } = await publish(store, { version: '1' });
  const { stable: canary } = await publish(store, { version: '2' });
  await publish(store, { version: '1', canary, weight });
  const outcomes = await store.queue.enqueue(Array.from({ length: 200 }, () => request()));
  expect(stable).not.toBe(canary);
  expect(outcomes.filter((outcome) => outcome.accepted && outcome.revision === canary).length).toBe(canaries);
});

test('a canary of weight 30 gets about that', async () => {
  const { stable: canary } = await publish(store, { version: '2' });
  await publish(store, { version: '1', canary, weight: 30 });
  const outcomes = await store.queue.enqueue(Array.from({ length: 2000 }, () => request()));
  const share = outcomes.filter((outcome) => outcome.accepted && outcome.revision === canary).length / 2000;
  // Six standard deviations.
  expect(share).toBeGreaterThan(0.24);
  expect(share).toBeLessThan(0.36);
});

test('higher priority first, older first within a priority', async () => {
  await publish(store);
  await store.queue.enqueue([
    request({ trigger: { node: 'low', items: [] }, priority: 1 }),
    request({ trigger: { node: 'high', items: [] }, priority: 9 }),
  ]);
  await accept(store, { trigger: { node: 'normal', items: [] } });
  await accept(store, { trigger: { node: 'later', items: [] } });
  expect(await drain()).toEqual(['high', 'normal', 'later', 'low']);
});

test('waiting is worth priority: what has waited long enough goes before any newer work', async () => {
  await publish(store);
  await accept(store, { trigger: { node: 'old', items: [] }, priority: 0 });
  await sql("UPDATE millrace.queue SET rank = rank - interval '271 s'");
  await accept(store, { trigger: { node: 'urgent', items: [] }, priority: 9 });
  expect(await drain()).toEqual(['old', 'urgent']);
});

test('a namespace with much work does not hold up another', async () => {
  await publish(store);
  await publish(store, { namespace: 'small' });
  await store.queue.enqueue(Array.from({ length: 50 }, () => request({ trigger: { node: 'shop', items: [] }, priority: 9 })));
  await store.queue.enqueue(Array.from({ length: 3 }, () => request({ namespace: 'small', trigger: { node: 'small', items: [] }, priority: 0 })));
  const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 8 });
  expect(claims.filter(({ namespace }) => namespace === 'small').length).toBe(3);
  expect(claims.length).toBe(8);
  // What runs already counts: shop has 5 of 8 slots, so the next ones go to small first.
  await store.queue.enqueue(Array.from({ length: 3 }, () => request({ namespace: 'small', priority: 0 })));
  const { claims: more } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 2 });
  expect(more.map(({ namespace }) => namespace)).toEqual(['small', 'small']);
});

test('delayed work starts when it is due, and claims say when that is', async () => {
  await publish(store);
  await accept(store, { delayMs: 400 });
  const first = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 5 });
  expect(first.claims).toEqual([]);
  expect(first.nextMs).toBeGreaterThan(0);
  expect(first.nextMs).toBeLessThanOrEqual(400);
  expect(await store.queue.stats('default')).toMatchObject({ ready: 0, delayed: 1 });
  await eventually(async () => { expect(await drain()).toEqual(['Start']); }, { withinMs: 5000 });
});

test('a runner takes what it has run before, first among executions of about the same age', async () => {
  const cold = await publish(store, { workflow: 'cold' });
  const warm = await publish(store, { workflow: 'warm' });
  expect(cold.stable).not.toBe(warm.stable);
  const queued = async (workflow: string, node: string, change: Partial<EnqueueRequest> = {}): Promise<unknown> => accept(store, { workflow, trigger: { node, items: [] }, ...change });
  await queued('cold', 'old');
  await sql("UPDATE millrace.queue SET rank = rank - interval '2 s'");
  await queued('cold', 'urgent', { priority: 6 });
  await queued('cold', 'first');
  await queued('warm', 'second');
  await queued('warm', 'late');
  await sql("UPDATE millrace.queue SET rank = rank + interval '2 s' WHERE id = (SELECT max(id::text)::uuid FROM millrace.queue)");
  const order: (string | undefined)[] = [];
  for (let left = 5; left > 0; left -= 1) {
    const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 1, warm: [warm.stable] });
    order.push(...claims.map(({ trigger }) => trigger.node));
  }
  expect(order).toEqual(['urgent', 'old', 'second', 'first', 'late']);
});

test('pools do not see each other', async () => {
  await publish(store);
  await accept(store, { pool: 'gpu' });
  expect(await drain()).toEqual([]);
  expect((await store.queue.claim({ pool: 'gpu', runner: 'runner-2', limit: 5 })).claims.length).toBe(1);
});

test('many runners at once: everything is claimed once', async () => {
  const { stable } = await publish(store);
  await publish(store, { namespace: 'small' });
  await store.queue.enqueue(Array.from({ length: 600 }, (_, n) => request({ namespace: n % 3 === 0 ? 'small' : 'shop' })));
  const seen: string[] = [];
  await Promise.all(Array.from({ length: 8 }, async (_, runner) => {
    for (;;) {
      const { claims } = await store.queue.claim({ pool: 'default', runner: `runner-${runner}`, limit: 7, warm: runner % 2 === 0 ? [] : [stable] });
      seen.push(...claims.map(({ executionId }) => executionId));
      if (claims.length === 0 && (await store.queue.stats('default')).ready === 0) return;
    }
  }));
  expect(seen.length).toBe(600);
  expect(new Set(seen).size).toBe(600);
});

test('idle runners are told of work, and of work that was handed back', async () => {
  await publish(store);
  let heard = 0;
  const stop = await store.notifications.on('millrace_work_default', () => { heard += 1; });
  expect(heard).toBe(1);
  await accept(store);
  await eventually(() => { expect(heard).toBe(2); });
  const { executionId, fence } = await claimOne(store);
  await store.queue.release([{ executionId, fence }]);
  await eventually(() => { expect(heard).toBe(3); });
  await stop();
});
