import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ExecutionDetail } from '../../store/executions.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import { MemoryStore, ok } from '../testdata/memory-store.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';

let server: TestServer;
let memory: MemoryStore;

beforeEach(async () => {
  memory = new MemoryStore();
  server = await startTestServer({}, memory);
});

afterEach(() => server.stop());

const wait = (id: string, parameters: JsonObject = {}, on: 'webhook' | 'form' = 'webhook') =>
  memory.waiting.set(id, { namespace: 'shop', workflow: 'orders', mode: 'Webhook', node: 'Wait', on, request: { parameters, credentials: { httpHeaderAuth: { name: 'callers' } } } });
const execution = (status: ExecutionDetail['status']) => ({ id: 'e1', status }) as ExecutionDetail;
const call = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${server.url}/webhook-waiting/${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown> & { error?: { code: string } } };
};

test('ends the wait with the request as an item and answers at once', async () => {
  wait('e1', { options: { responseData: '"thanks"' } });
  expect(await call('e1/token-e1?approved=true')).toMatchObject({ status: 200, body: 'thanks' });
  expect(memory.resumed).toMatchObject([{ executionId: 'e1', node: 'Wait', items: [{ json: { query: { approved: 'true' }, executionMode: 'production' } }] }]);
  expect(memory.resumed[0]).not.toHaveProperty('replyTo');
});

test('answers what the workflow answers after the wait', async () => {
  wait('e1', { httpMethod: 'POST', responseMode: 'lastNode', options: { webhookSuffix: 'approve' } });
  memory.accepted.push({ id: 'e1', namespace: 'shop', workflow: 'orders', mode: 'Webhook', trigger: { items: [] } });
  memory.answer = () => ({ response: { ...ok, body: '"went on"' } });
  const form = new FormData();
  form.set('file', new File(['abc'], 'a.txt'));
  expect(await call('e1/token-e1/approve', { method: 'POST', body: form })).toMatchObject({ status: 200, body: 'went on' });
  expect(memory.resumed).toMatchObject([{ replyTo: 'here', items: [{ binary: { file: { size: 3 } } }] }]);
});

test.each([
  { name: 'a wrong token', path: 'e1/token-e2', status: 404, code: 'WaitNotFound' },
  { name: 'no token', path: 'e1', status: 404, code: 'WaitNotFound' },
  { name: 'an execution that is nowhere', path: 'e9/token-e9', status: 404, code: 'WaitNotFound' },
  { name: 'another suffix', path: 'e1/token-e1/other', status: 404, code: 'WaitNotFound' },
  { name: 'a wait for a form', path: 'form/token-form', status: 404, code: 'WaitNotFound' },
  { name: 'another method', path: 'e1/token-e1', init: { method: 'POST' }, status: 405, code: 'MethodNotAllowed' },
  { name: 'who proves nothing', path: 'safe/token-safe', status: 401, code: 'CallerUnauthenticated' },
  { name: 'an execution that has ended', path: 'done/token-done', status: 409, code: 'NotWaiting' },
])('refuses $name and goes on waiting', async ({ path, init = {}, status, code }) => {
  wait('e1');
  wait('form', {}, 'form');
  wait('safe', { incomingAuthentication: 'headerAuth' });
  server.cluster.addCredential('callers', 'httpHeaderAuth', { name: 'x-key', value: 'geheim' });
  memory.detail.set('done', execution('Succeeded'));
  expect(await call(path, init)).toMatchObject({ status, body: { error: { code } } });
  expect(memory.resumed).toEqual([]);
  expect((await call('safe/token-safe', { headers: { 'x-key': 'geheim' } })).status).toBe(200);
});

test.each(['Running', 'Waiting'] as const)('holds a call that comes before its execution waits for it, and looks %s', async (status) => {
  memory.detail.set('e1', execution(status));
  const early = call('e1/token-e1');
  await new Promise((resolve) => { setImmediate(resolve); });
  wait('e1');
  expect((await early).status).toBe(200);
});

test('ends a wait once', async () => {
  wait('e1');
  memory.detail.set('e1', execution('Succeeded'));
  const answers = await Promise.all([call('e1/token-e1'), call('e1/token-e1')]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
});
