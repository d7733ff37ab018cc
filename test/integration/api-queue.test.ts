import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startServer } from '../../api/server.ts';
import type { ApiServer } from '../../api/server.ts';
import { millrace } from '../../cli/testdata/memory-terminal.ts';
import { silentLog } from '../../operator/kube/log.ts';
import type { Store } from '../../store/store.ts';
import { eventually } from '../eventually.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { accept, claimOne, KEEP_ALL, newStore, nodeRun, publish, request, succeeded } from '../postgres/test-store.ts';

let postgres: Postgres;
let store: Store;
let server: ApiServer;

/** Everybody is who they say and may do everything. */
const openDoors = { request: async <T>() => ({ status: { authenticated: true, allowed: true, user: { username: 'admin', groups: [] } } }) as T };

beforeAll(async () => { postgres = await startPostgres(); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);
beforeEach(async () => {
  ({ store } = await newStore(postgres));
  server = await startServer({
    store, cluster: openDoors, log: silentLog, version: '0.0.0', clock: { now: () => Date.now(), monotonic: () => performance.now() },
    config: {
      baseUrl: undefined, port: 0, healthPort: 0, audiences: [], proxyHops: 0, drainMs: 5000,
      limits: { bodyBytes: 1_000_000, fileBytes: 5_000_000, bodyBytesInFlight: 10_000_000, webhooksInFlight: 1000, responseMs: 10_000, requestMs: 10_000, userRequestsPerSecond: 1000 },
    },
  });
});
afterEach(async () => {
  await server.stop();
  await store.close();
});

const webhook = { kind: 'Webhook', node: 'Hook', method: 'POST', path: 'orders', responseMode: 'onReceived', options: {} } as const;
const call = async (): Promise<Response> => fetch(`http://127.0.0.1:${server.port}/webhook/shop/orders`, { method: 'POST' });
const cli = async (...args: string[]) => millrace([...args, '-n', 'shop'], { env: { MILLRACE_SERVER: `http://127.0.0.1:${server.port}`, MILLRACE_TOKEN: 'admin' } });
const codeOf = async (answer: Response): Promise<unknown> => ((await answer.json()) as { error?: { code: string } }).error?.code;

test('a full pool answers 429 with Retry-After instead of taking more, and takes more when it has room', async () => {
  await publish(store, { triggers: [webhook] });
  await store.pools.apply('default', { maxQueued: 3 });
  // The first request tells the api that the pool exists; it looks at once.
  const refused = await eventually(async () => {
    const answer = await call();
    expect(answer.status).toBe(429);
    return answer;
  });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await codeOf(refused)).toBe('QueueFull');
  const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 100 });
  expect(claims.length).toBeLessThan(100);
  await store.queue.finish(claims.map(({ executionId, fence }) => ({ executionId, fence, result: succeeded(), save: KEEP_ALL })));
  await eventually(async () => { expect((await call()).status).toBe(200); });
});

test('a full namespace does not keep others from the pool', async () => {
  await publish(store);
  await publish(store, { namespace: 'other' });
  await store.pools.apply('default', { namespaceMaxQueued: 5 });
  await store.queue.enqueue(Array.from({ length: 5 }, () => request()));
  await eventually(async () => { expect(await store.queue.enqueue([request()])).toMatchObject([{ accepted: false, reason: 'QueueFull', retryMs: expect.any(Number) }]); });
  expect(await store.queue.enqueue([request({ namespace: 'other' })])).toMatchObject([{ accepted: true }]);
});

test('webhooks of a workflow with limits are told what refused them', async () => {
  await publish(store, { triggers: [webhook], limits: { concurrency: { max: 1, policy: 'Drop' } } });
  // Until the api has heard of the route it answers 404, and stores nothing.
  await eventually(async () => { expect((await call()).status).toBe(200); });
  const full = await call();
  expect([full.status, full.headers.get('retry-after'), await codeOf(full)]).toEqual([429, '1', 'ConcurrencyLimit']);
  await publish(store, { triggers: [webhook], limits: { rateLimit: { count: 1, perMs: 30_000, policy: 'Drop' } } });
  expect((await call()).status).toBe(200);
  const late = await call();
  expect([late.status, await codeOf(late)]).toEqual([429, 'RateLimited']);
  expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(20);
});

test('a paused pool accepts work and runs none, whoever paused it; a drained one runs nothing any more', async () => {
  await publish(store);
  const running = await accept(store);
  const claim = await claimOne(store);
  expect(await cli('pool', 'pause', 'default')).toEqual({ exit: 0, err: '', out: 'Pool default is paused; 1 running.\n' });
  await accept(store);
  expect((await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 10 })).claims).toEqual([]);
  expect((await cli('pool', 'list')).out).toMatch(/^POOL .*\ndefault +Administrator +1 +0 +1 +1 /);
  const drained = cli('pool', 'drain', 'default');
  await store.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }]);
  expect((await drained).exit).toBe(0);
  expect((await store.executions.get(running))?.status).toBe('Succeeded');
  await store.pools.apply('default', { paused: true });
  expect(await cli('pool', 'resume', 'default')).toMatchObject({ exit: 1, err: expect.stringContaining('PoolPaused') });
  await store.pools.apply('default', {});
  expect(await cli('pool', 'resume', 'default')).toMatchObject({ exit: 0, out: 'Pool default takes work.\n' });
  await claimOne(store);
}, 60_000);

test('a dead letter shows its evidence; requeued, the same execution goes on from its last checkpoint', async () => {
  await publish(store, { limits: { concurrency: { max: 1, policy: 'Queue' } } });
  await store.pools.apply('default', { maxCrashes: 1 });
  const id = await accept(store);
  const claim = await claimOne(store);
  await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [nodeRun({ node: 'Charge' })], recordings: [] } }]);
  await store.queue.crash([{ ...claim, reason: 'ExecutorCrashed' }]);
  expect((await store.executions.get(id))?.status).toBe('Failed');
  expect((await cli('dead-letters', 'list')).out).toMatch(new RegExp(String.raw`^ID .*\n${id} +shop/orders +default .* 1 +ExecutorCrashed\n$`));
  const shown = (await cli('dead-letters', 'get', id)).out;
  expect(shown).toContain('Last node:  Charge\n');
  expect(shown).toMatch(/ExecutorCrashed +runner-1 +1\n$/);
  const [first, second] = await Promise.all([cli('dead-letters', 'requeue', id), cli('dead-letters', 'requeue', id)]);
  expect([first.exit, second.exit].filter((exit) => exit === 0).length).toBeGreaterThanOrEqual(1);
  const again = await claimOne(store, 'runner-2');
  expect(again).toMatchObject({ executionId: id, fence: 2, crashes: 0, checkpoints: [{ sequence: 0, runs: [{ node: 'Charge' }] }] });
  expect(await store.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }])).toEqual([id]);
  expect(await store.queue.finish([{ ...again, result: succeeded(), save: KEEP_ALL }])).toEqual([]);
  expect(await store.executions.get(id)).toMatchObject({ status: 'Succeeded', attempts: 2 });
  expect(await cli('dead-letters', 'get', id)).toMatchObject({ err: expect.stringContaining('DeadLetterNotFound') });
});

test('a discarded dead letter is forgotten; its failed execution stays in the history', async () => {
  await publish(store);
  await store.pools.apply('default', { maxCrashes: 1 });
  const id = await accept(store);
  await store.queue.crash([{ ...await claimOne(store), reason: 'ExecutorCrashed' }]);
  expect((await cli('dead-letters', 'discard', id)).exit).toBe(0);
  expect((await cli('dead-letters', 'list')).err).toBe('No dead letters found.\n');
  expect(await store.executions.get(id)).toMatchObject({ status: 'Failed', error: { code: 'ExecutionCrashed' } });
});
