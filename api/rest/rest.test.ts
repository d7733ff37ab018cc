import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ExecutionDetail } from '../../store/executions.ts';
import { readEvents } from '../../cli/api-client.ts';
import { MemoryStore } from '../testdata/memory-store.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';

let server: TestServer;
let memory: MemoryStore;

beforeEach(async () => {
  memory = new MemoryStore();
  memory.detail.set('e0', detail());
  server = await startTestServer({ userRequestsPerSecond: 10, requestMs: 1500 }, memory);
});

afterEach(() => server.stop());

function detail(changes: Partial<ExecutionDetail> = {}): ExecutionDetail {
  return {
    id: 'e0', namespace: 'shop', workflow: 'orders', uid: 'u', revision: 'a'.repeat(64), mode: 'Webhook', status: 'Running', pool: 'default', priority: 5,
    createdAt: 1000, startedAt: 2000, attempts: 1, crashes: 0, hasItems: false,
    nodes: [{ node: 'Hook', runIndex: 0, status: 'success', items: [1], startedAt: 2000, durationMs: 1 }], ...changes,
  };
}

const call = async (path: string, { token = 'reader', ...init }: RequestInit & { token?: string | null } = {}) => {
  const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...(init.headers as Record<string, string> | undefined) };
  const response = await fetch(`${server.url}/api/v1${path}`, { ...init, headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
};
const post = (body: unknown): RequestInit => ({ method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'content-type': 'application/json' } });
const shop = '/namespaces/shop';

test('shows an execution with its nodes', async () => {
  expect(await call(`${shop}/executions/e0`)).toMatchObject({
    status: 200, body: { id: 'e0', createdAt: '1970-01-01T00:00:01.000Z', startedAt: '1970-01-01T00:00:02.000Z', nodes: [{ node: 'Hook', items: [1] }], hasItems: false },
  });
});

test('takes the token from Millrace-Token when a proxy kept Authorization', async () => {
  expect((await call(`${shop}/executions/e0`, { token: null, headers: { 'millrace-token': 'reader' } })).status).toBe(200);
});

test.each([
  { name: 'no token', path: `${shop}/executions`, init: { token: null }, status: 401, code: 'Unauthenticated' },
  { name: 'a token nobody knows', path: `${shop}/executions`, init: { token: 'expired' }, status: 401, code: 'Unauthenticated' },
  { name: 'another scheme', path: `${shop}/executions`, init: { token: null, headers: { authorization: 'Basic cmVhZGVy' } }, status: 401, code: 'Unauthenticated' },
  { name: 'a user without rights', path: `${shop}/executions`, init: { token: 'nobody' }, status: 403, code: 'Forbidden' },
  { name: 'another namespace', path: '/namespaces/bank/executions', init: {}, status: 403, code: 'Forbidden' },
  { name: 'all namespaces', path: '/executions', init: {}, status: 403, code: 'Forbidden' },
  { name: 'a trigger without rights', path: `${shop}/workflows/orders/trigger`, init: { token: 'nobody', ...post('{"broken') }, status: 403, code: 'Forbidden' },
  { name: 'an execution that is not there', path: `${shop}/executions/e9`, init: {}, status: 404, code: 'ExecutionNotFound' },
  { name: 'events of an execution that is not there', path: `${shop}/executions/e9/events`, init: {}, status: 404, code: 'ExecutionNotFound' },
  { name: 'an execution of another namespace', path: `${shop}/executions/other`, init: {}, status: 404, code: 'ExecutionNotFound' },
  { name: 'an unknown path', path: '/nothing', init: {}, status: 404, code: 'NotFound' },
  { name: 'a path that is no UTF-8', path: '/namespaces/%ff/executions', init: {}, status: 400, code: 'MalformedRequest' },
  { name: 'another method', path: `${shop}/executions/e0`, init: { method: 'DELETE' }, status: 405, code: 'MethodNotAllowed' },
  { name: 'a limit over the bound', path: `${shop}/executions?limit=1000`, init: {}, status: 400, code: 'InvalidRequest' },
  { name: 'an unknown parameter', path: `${shop}/executions?stauts=Failed`, init: {}, status: 400, code: 'InvalidRequest' },
  { name: 'a status that is none', path: `${shop}/executions?status=Done`, init: {}, status: 400, code: 'InvalidRequest' },
  { name: 'malformed JSON', path: `${shop}/workflows/orders/trigger`, init: post('{"items":'), status: 400, code: 'MalformedJson' },
  { name: 'items that are none', path: `${shop}/workflows/orders/trigger`, init: post({ items: [1] }), status: 400, code: 'InvalidRequest' },
  { name: 'a body over the limit', path: `${shop}/workflows/orders/trigger`, init: post({ items: [{ json: { text: 'x'.repeat(10_000) } }] }), status: 413, code: 'BodyTooLarge' },
  { name: 'a retry of what still runs', path: `${shop}/executions/e0/retry`, init: post({}), status: 409, code: 'ExecutionNotRetryable' },
])('refuses $name with a code', async ({ path, init, status, code }) => {
  memory.detail.set('other', detail({ id: 'other', namespace: 'bank' }));
  const answer = await call(path, init);
  expect(answer).toMatchObject({ status, body: { error: { code, message: expect.any(String), requestId: answer.headers.get('x-request-id') } } });
  expect(JSON.stringify(answer.body)).not.toContain('expired"');
  expect(memory.accepted).toEqual([]);
});

test('names the fields that do not fit', async () => {
  const { body } = await call(`${shop}/workflows/orders/trigger`, post({ items: [{ json: {} }, { json: 3 }], extra: 1 }));
  expect(body).toMatchObject({ error: { details: expect.arrayContaining([expect.objectContaining({ at: 'body.items.1.json' })]) } });
});

test('limits requests per user', async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, async () => call(`${shop}/executions/e0`)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
});

test('asks the API server once for the same token and right', async () => {
  await Promise.all([call(`${shop}/executions/e0`), call(`${shop}/executions/e0`)]);
  await call(`${shop}/executions/e0`);
  expect(server.cluster.reviews).toHaveLength(2);
});

test('is unavailable, not open, when the API server is down', async () => {
  server.cluster.down = true;
  expect(await call(`${shop}/executions/e0`)).toMatchObject({ status: 503, body: { error: { code: 'Unavailable' } } });
  server.cluster.down = false;
  expect((await call(`${shop}/executions/e0`)).status).toBe(200);
});

test('triggers a workflow, and waits for its end when asked', async () => {
  memory.detail.set('e1', detail({ id: 'e1', status: 'Succeeded', finishedAt: 3000 }));
  expect(await call(`${shop}/workflows/orders/trigger`, post({ items: [{ json: { a: 1 } }], idempotencyKey: 'k' }))).toMatchObject({ status: 202, body: { id: 'e0', duplicate: false } });
  expect(await call(`${shop}/workflows/orders/trigger?wait=5`, post(''))).toMatchObject({ status: 202, body: { id: 'e1', execution: { status: 'Succeeded' } } });
  expect(memory.accepted).toMatchObject([
    { namespace: 'shop', workflow: 'orders', mode: 'Manual', trigger: { items: [{ json: { a: 1 } }] }, idempotencyKey: 'k' },
    { trigger: { items: [{ json: {} }] }, replyTo: 'here' },
  ]);
});

test('cancels what runs, and says when it has ended', async () => {
  expect(await call(`${shop}/executions/e0/cancel`, post({}))).toMatchObject({ status: 202, body: { id: 'e0' } });
  memory.detail.set('e0', detail({ status: 'Failed' }));
  expect(await call(`${shop}/executions/e0/cancel`, post({}))).toMatchObject({ status: 409, body: { error: { code: 'ExecutionNotCancelable' } } });
});

test('repeats from the node that failed, with the data of the earlier execution', async () => {
  const failed = detail({ status: 'Failed', hasItems: true, error: { code: 'NodeFailed', message: 'no', node: 'Stock' } });
  memory.detail.set('e0', failed);
  memory.parts.executions.nodeRuns = async () => [{ node: 'Hook', runIndex: 0, status: 'success', source: [], outputs: [[{ json: { a: 1 } }]], startedAt: 0, durationMs: 1 }];
  expect((await call(`${shop}/executions/e0/retry`, post({}))).status).toBe(202);
  expect((await call(`${shop}/executions/e0/retry?from=failed`, post({}))).status).toBe(202);
  const trigger = { node: 'Hook', items: [{ json: { a: 1 } }] };
  expect(memory.accepted.map((request) => [request.mode, request.trigger])).toEqual([['Retry', trigger], ['Retry', { ...trigger, partial: { from: 'Stock', dataOf: 'e0' } }]]);
  for (const changed of [{ hasItems: false }, { compensated: 1 }]) {
    memory.detail.set('e0', { ...failed, ...changed });
    expect(await call(`${shop}/executions/e0/retry?from=failed`, post({}))).toMatchObject({ status: 409, body: { error: { code: 'ExecutionNotRetryable' } } });
  }
});

test('streams node runs until the execution has ended', async () => {
  const response = await fetch(`${server.url}/api/v1${shop}/executions/e0/events`, { headers: { authorization: 'Bearer reader' } });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const seen: string[] = [];
  for await (const { event, data } of readEvents(response.body as AsyncIterable<Uint8Array>)) {
    const { node, status } = data as { node?: string; status: string };
    seen.push(`${event} ${node ?? status}`);
    if (seen.length === 2) {
      const { nodes, ...rest } = detail({ status: 'Succeeded' });
      memory.detail.set('e0', { ...rest, nodes: [...nodes, { node: 'Set', runIndex: 0, status: 'success', items: [1], startedAt: 2001, durationMs: 1 }] });
    }
  }
  expect(seen).toEqual(['node Hook', 'execution Running', 'node Set', 'execution Succeeded']);
});

test('ends streams when it stops', async () => {
  const response = await fetch(`${server.url}/api/v1${shop}/executions/e0/events`, { headers: { authorization: 'Bearer reader' } });
  const rest = response.text();
  await server.stop();
  expect(await rest).toContain('event: node');
});

test('shows health and metrics on the private port only', async () => {
  await call(`${shop}/executions/e0`);
  const health = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.healthPort}${path}`);
    return { status: response.status, body: await response.text() };
  };
  expect(await health('/healthz')).toMatchObject({ status: 200 });
  expect(await health('/readyz')).toMatchObject({ status: 200 });
  expect((await health('/metrics')).body).toContain('millrace_api_requests_total{method="GET",route="/api/v1/namespaces/{namespace}/executions/{id}",status="200"} 1');
  expect((await fetch(`${server.url}/metrics`)).status).toBe(404);
});
