import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { readEvents } from '../../cli/api-client.ts';
import { FakeCluster } from '../../api/testdata/fake-cluster.ts';
import { startServer } from '../../api/server.ts';
import type { ApiServer } from '../../api/server.ts';
import { silentLog } from '../../operator/kube/log.ts';
import type { ExecutionResult } from '../../runner/engine/node-run.ts';
import type { Claim } from '../../store/lease.ts';
import type { RouteSpec } from '../../store/route.ts';
import { migrate, openStore } from '../../store/store.ts';
import type { Store } from '../../store/store.ts';
import { startPostgres } from '../postgres/postgres.ts';
import type { Postgres } from '../postgres/postgres.ts';
import { eventually } from '../eventually.ts';
import { startStandInRunner } from './api-stand-in-runner.ts';

let postgres: Postgres;
let stores: Store[];
let servers: ApiServer[];
let runner: { stop(): Promise<void> };
let revision: string;
let claims: Claim[] = [];
/** How the stand-in runner executes; tests replace it. */
let execute: (claim: Claim) => Promise<ExecutionResult>;

const echo = async (claim: Claim): Promise<ExecutionResult> => {
  const run = { node: claim.trigger.node ?? '', runIndex: 0, status: 'success' as const, source: [], outputs: [claim.trigger.items], startedAt: Date.now(), durationMs: 1 };
  const body = JSON.stringify(claim.trigger.items[0]?.json['body'] ?? null);
  return { status: 'Succeeded', lastNode: run.node, runs: [run], response: { status: 200, headers: { 'content-type': 'application/json' }, body, encoding: 'utf8' } };
};

beforeAll(async () => {
  postgres = await startPostgres();
  const url = await postgres.database();
  await migrate({ url, applicationName: 'test' });
  stores = await Promise.all(['api-0', 'api-1', 'runner'].map((name) => openStore({ url, applicationName: name, poolSize: 4 })));
  const [first, second, third] = stores;
  if (!first || !second || !third) throw new Error('three stores were opened');
  ({ revision } = await third.revisions.put({ namespace: 'shop', workflow: 'orders', uid: 'u1', definition: { id: 'shop/orders', name: 'orders', nodes: [], connections: [] } }));
  await third.routes.apply(route());
  servers = await Promise.all([first, second].map((store) => startApi(store)));
  runner = await startStandInRunner(third, async (claim) => {
    claims.push(claim);
    return execute(claim);
  });
}, 180_000);

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await runner.stop();
  await Promise.all(stores.map((store) => store.close()));
  await postgres.stop();
});

beforeEach(() => {
  claims = [];
  execute = echo;
});

function route(changes: Partial<RouteSpec> = {}): RouteSpec {
  const trigger = { kind: 'Webhook' as const, node: 'Hook', method: 'POST', options: {} };
  return {
    namespace: 'shop', workflow: 'orders', uid: 'u1', active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' },
    triggers: [{ ...trigger, path: 'orders', responseMode: 'lastNode' }, { ...trigger, path: 'later', responseMode: 'onReceived' }], ...changes,
  };
}

async function startApi(store: Store): Promise<ApiServer> {
  return startServer({
    store, cluster: new FakeCluster(), log: silentLog, version: '0.0.0', clock: { now: () => Date.now(), monotonic: () => performance.now() },
    config: {
      baseUrl: undefined, port: 0, healthPort: 0, audiences: [], proxyHops: 0, drainMs: 5000,
      limits: { bodyBytes: 1_000_000, fileBytes: 5_000_000, bodyBytesInFlight: 10_000_000, webhooksInFlight: 1000, responseMs: 10_000, requestMs: 10_000, userRequestsPerSecond: 1000 },
    },
  });
}

async function post(path: string, body: unknown, options: { replica?: number; key?: string } = {}) {
  const port = servers[options.replica ?? 0]?.port ?? 0;
  const response = await fetch(`http://127.0.0.1:${port}/webhook/shop/${path}`, {
    method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...(options.key === undefined ? {} : { 'idempotency-key': options.key }) },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown>, id: response.headers.get('millrace-execution-id') ?? '' };
}

async function api(path: string, init: RequestInit = {}) {
  const response = await fetch(`http://127.0.0.1:${servers[1]?.port ?? 0}/api/v1/namespaces/shop${path}`, { headers: { authorization: 'Bearer reader' }, ...init });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('answers what the workflow answers, and keeps what it did', async () => {
  const answer = await post('orders', { total: 7 });
  expect(answer).toMatchObject({ status: 200, body: { total: 7 } });
  expect(await api(`/executions/${answer.id}`)).toMatchObject({
    status: 200, body: { id: answer.id, workflow: 'orders', status: 'Succeeded', mode: 'Webhook', revision, nodes: [{ node: 'Hook', items: [1] }], hasItems: true },
  });
  expect(await api(`/executions/${answer.id}/nodes/Hook`)).toMatchObject({ body: { items: [{ outputs: [[{ json: { body: { total: 7 }, query: {} } }]] }] } });
  expect(await api('/executions?workflow=orders&limit=1')).toMatchObject({ body: { items: [{ id: answer.id }] } });
});

test('answers a burst over both replicas, each caller with its own answer', async () => {
  const answers = await Promise.all(Array.from({ length: 300 }, async (_, index) => post('orders', { index }, { replica: index % 2 })));
  answers.forEach((answer, index) => expect(answer).toMatchObject({ status: 200, body: { index } }));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(300);
  expect(claims).toHaveLength(300);
});

test('accepts a request with the same idempotency key once, over replicas, and answers both callers', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, async (_, index) => post('orders', { order: 1 }, { replica: index % 2, key: 'order-1' })));
  for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: { order: 1 } });
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(claims).toHaveLength(1);
  expect(await post('orders', { order: 1 }, { key: 'order-1' })).toMatchObject({ status: 200, body: { order: 1 } });
  expect(claims).toHaveLength(1);
});

test('a workflow that fails without an answer gives a coded 500 with the execution', async () => {
  execute = async () => ({ status: 'Failed', error: { code: 'NodeFailed', message: 'secret of the workflow' }, runs: [] });
  const answer = await post('orders', {});
  expect(answer).toMatchObject({ status: 500, body: { error: { code: 'NoResponse', details: { status: 'Failed', executionId: expect.any(String) } } } });
  expect(JSON.stringify(answer.body)).not.toContain('secret');
});

test('text that PostgreSQL cannot hold harms no request of the same batch', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, async (_, index) => post('orders', { index, text: index === 7 ? 'a\u0000b' : 'ab' })));
  answers.forEach((answer, index) => {
    if (index !== 7) expect(answer).toMatchObject({ status: 200, body: { index } });
  });
  const seventh = answers[7];
  expect(seventh?.status === 422 || seventh?.body['text'] === 'a\u0000b').toBe(true);
});

test('retries with the items that had started it', async () => {
  execute = async (claim) => ({ ...(await echo(claim)), status: 'Failed', error: { code: 'NodeFailed', message: 'no' } });
  const { id } = await post('orders', { total: 8 });
  execute = echo;
  const retried = await api(`/executions/${id}/retry`, { method: 'POST', headers: { authorization: 'Bearer reader' } });
  expect(retried.status).toBe(202);
  const again = await api(`/workflows/orders/trigger?wait=10`, { method: 'POST', headers: { authorization: 'Bearer reader' }, body: JSON.stringify({ items: [{ json: { by: 'hand' } }] }) });
  expect(again).toMatchObject({ status: 202, body: { execution: { status: 'Succeeded', mode: 'Manual' } } });
  expect(claims.map(({ mode, trigger }) => [mode, trigger.items[0]?.json])).toEqual([
    ['Webhook', expect.objectContaining({ body: { total: 8 } })], ['Retry', expect.objectContaining({ body: { total: 8 } })], ['Manual', { by: 'hand' }],
  ]);
});

test('a new route answers within the call that follows it, a removed one no more', async () => {
  const [, , store] = stores;
  if (!store) throw new Error('no store');
  const moved = route({ triggers: [...route().triggers, { kind: 'Webhook', node: 'Hook', method: 'POST', path: 'moved', responseMode: 'lastNode', options: {} }] });
  await store.routes.apply(moved);
  expect(await post('moved', { a: 1 })).toMatchObject({ status: 200, body: { a: 1 } });
  await store.routes.apply(route());
  await eventually(async () => expect((await post('moved', {})).status).toBe(404));
});

test('what was acknowledged survives a crash of PostgreSQL, and calls meanwhile are answered', async () => {
  const before = await Promise.all(Array.from({ length: 20 }, async (_, index) => post('later', { index })));
  await postgres.kill();
  const during = Array.from({ length: 5 }, async (_, index) => post('orders', { during: index }));
  await postgres.start();
  for (const answer of await Promise.all(during)) expect(answer).toMatchObject({ status: 200, body: { during: expect.any(Number) } });
  for (const { id, status } of before) {
    expect(status).toBe(200);
    expect((await api(`/executions/${id}`)).status).toBe(200);
  }
}, 180_000);

test('files go to the database as they come and are there when the execution starts', async () => {
  const form = new FormData();
  form.set('order', '7');
  const bytes = Buffer.alloc(2_500_000, 'abc');
  form.set('scan', new File([bytes], 'scan.bin'));
  const response = await fetch(`http://127.0.0.1:${servers[0]?.port ?? 0}/webhook/shop/orders`, { method: 'POST', body: form });
  expect([response.status, await response.json()]).toEqual([200, { order: '7' }]);
  const reference = claims[0]?.trigger.items[0]?.binary?.['scan'];
  expect(reference).toMatchObject({ size: bytes.length, fileName: 'scan.bin', sha256: createHash('sha256').update(bytes).digest('hex') });
  const stored = await stores[2]?.binaries.get(reference?.id ?? '');
  expect(stored && Buffer.from(stored).equals(bytes)).toBe(true);
});

test('one call of a test URL, at another replica, is executed and followed', async () => {
  const spec = { nodes: [{ name: 'Hook', type: 'webhook', parameters: { path: 'draft', httpMethod: 'POST', responseMode: 'lastNode' } }] };
  const response = await fetch(`http://127.0.0.1:${servers[1]?.port ?? 0}/api/v1/namespaces/shop/workflows/orders/listen?seconds=60`, {
    method: 'POST', headers: { 'authorization': 'Bearer reader', 'content-type': 'application/json' }, body: JSON.stringify({ spec }),
  });
  const seen: unknown[] = [];
  const call = async () => (await fetch(`http://127.0.0.1:${servers[0]?.port ?? 0}/webhook-test/shop/draft`, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } })).status;
  for await (const { event, data } of readEvents(response.body as AsyncIterable<Uint8Array>)) {
    seen.push(event === 'execution' ? (data as { status: string }).status : event);
    // Of two calls at once, one is the one.
    if (event === 'listening') expect((await Promise.all([call(), call()])).toSorted((a, b) => a - b)).toEqual([200, 404]);
  }
  expect(seen[0]).toBe('listening');
  expect(seen.at(-1)).toBe('Succeeded');
  expect(claims).toMatchObject([{ mode: 'Manual', trigger: { node: 'Hook' } }]);
  expect(await stores[2]?.revisions.get(claims[0]?.revision ?? '')).toMatchObject({ nodes: [{ parameters: { path: 'draft' } }] });
});
