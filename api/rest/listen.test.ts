import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readEvents } from '../../cli/api-client.ts';
import type { ExecutionDetail } from '../../store/executions.ts';
import { StoreError } from '../../store/error.ts';
import { MemoryStore } from '../testdata/memory-store.ts';
import { route } from '../testdata/route.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';

let server: TestServer;
let memory: MemoryStore;

const hook = (path: string, parameters: object = {}) => ({ nodes: [{ name: 'Hook', type: 'webhook', parameters: { path, httpMethod: 'POST', ...parameters } }], connections: [] });

beforeEach(async () => {
  memory = new MemoryStore();
  memory.routeList = [route('orders', [], { active: false, stable: 'stable' })];
  memory.definitions.set('stable', { id: 'shop/orders', name: 'orders', ...hook('orders', { responseMode: 'lastNode' }) });
  server = await startTestServer({}, memory);
});

afterEach(() => server.stop());

const listen = (body: object = {}, query = '', token = 'reader') => fetch(`${server.url}/api/v1/namespaces/shop/workflows/orders/listen${query}`, {
  method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
});
const call = async (path: string) => {
  const response = await fetch(`${server.url}/webhook-test/shop/${path}`, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> & { error?: { code: string } } };
};
const finished = (id: string) => memory.detail.set(id, {
  id, namespace: 'shop', workflow: 'orders', uid: 'u', revision: 'r', mode: 'Manual', status: 'Succeeded', pool: 'default', priority: 5, createdAt: 1, attempts: 1, crashes: 0, hasItems: false, nodes: [],
} satisfies ExecutionDetail);

test('one call of an inactive workflow is executed by hand and followed to its end', async () => {
  const response = await listen();
  const seen: unknown[] = [];
  for await (const { event, data } of readEvents(response.body as AsyncIterable<Uint8Array>)) {
    seen.push([event, data]);
    if (event !== 'listening') continue;
    expect((await call('orders')).body).toMatchObject({ body: { a: 1 }, executionMode: 'test', webhookUrl: 'https://flows.example/webhook-test/shop/orders' });
    finished(memory.accepted[0]?.id ?? '');
    expect(await call('orders')).toMatchObject({ status: 404, body: { error: { code: 'TestNotListening' } } });
  }
  expect(seen).toMatchObject([['listening', { urls: [{ node: 'Hook', method: 'POST', url: 'https://flows.example/webhook-test/shop/orders' }] }], ['execution', { status: 'Succeeded' }]]);
  expect(memory.accepted).toMatchObject([{ mode: 'Manual', revision: 'stable', trigger: { node: 'Hook' } }]);
  expect(memory.open.size).toBe(0);
});

test('a draft is executed without being applied', async () => {
  const response = await listen({ spec: hook('draft', { responseMode: 'lastNode' }) });
  for await (const { event } of readEvents(response.body as AsyncIterable<Uint8Array>)) {
    if (event !== 'listening') continue;
    expect((await call('draft')).status).toBe(200);
    finished(memory.accepted[0]?.id ?? '');
  }
  expect(memory.accepted).toMatchObject([{ revision: 'r1', replyTo: 'here' }]);
  expect(memory.definitions.get('r1')).toMatchObject({ id: 'shop/orders', nodes: [{ parameters: { path: 'draft' } }] });
});

test('listens on when the call could not be accepted', async () => {
  const response = await listen();
  memory.failure = new StoreError('StoreUnavailable', 'away');
  expect((await call('orders')).status).toBe(503);
  memory.failure = undefined;
  expect((await call('orders')).status).toBe(200);
  await response.body?.cancel();
});

test.each([
  { name: 'who may not', body: {}, token: 'nobody', status: 403, code: 'Forbidden' },
  { name: 'a draft that is none', body: { spec: { nodes: 7 } }, token: 'reader', status: 400, code: 'InvalidRequest' },
  { name: 'a draft without a webhook', body: { spec: { nodes: [{ name: 'Start', type: 'manualTrigger' }] } }, token: 'reader', status: 422, code: 'ObjectRefused' },
  { name: 'a webhook that cannot be called', body: { spec: hook('={{ 1 }}') }, token: 'reader', status: 422, code: 'ObjectRefused' },
])('refuses $name', async ({ body, token, status, code }) => {
  const response = await listen(body, '', token);
  expect([response.status, ((await response.json()) as { error: { code: string } }).error.code]).toEqual([status, code]);
  expect(memory.open.size).toBe(0);
});

test('refuses a workflow that is not there', async () => {
  memory.routeList = [];
  expect((await listen()).status).toBe(404);
});

test('stops listening when the time is over', async () => {
  const events = [];
  for await (const { event } of readEvents((await listen({}, '?seconds=1')).body as AsyncIterable<Uint8Array>)) events.push(event);
  expect(events).toEqual(['listening']);
  expect(memory.open.size).toBe(0);
});
