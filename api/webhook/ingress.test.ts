import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { StoreError } from '../../store/error.ts';
import { MemoryStore, ok } from '../testdata/memory-store.ts';
import { route, webhookTrigger } from '../testdata/route.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';

let server: TestServer;
let memory: MemoryStore;

beforeEach(async () => {
  memory = new MemoryStore();
  memory.routeList = [
    route('orders', [webhookTrigger('POST', 'orders'), webhookTrigger('GET', 'orders/:id')]),
    route('quick', [webhookTrigger('POST', 'quick', { responseMode: 'onReceived', options: { options: { allowedOrigins: 'https://a.example' } } })]),
    route('both', [webhookTrigger('PUT', 'both', { options: { multipleMethods: true } })]),
    route('locked', [webhookTrigger('POST', 'locked', { options: { authentication: '={{ $json.auth }}' } })]),
  ];
  server = await startTestServer({ requestMs: 1500, responseMs: 300 }, memory);
});

afterEach(() => server.stop());

const call = async (path: string, init: RequestInit & { duplex?: 'half' } = {}) => {
  const response = await fetch(`${server.url}/webhook/shop/${path}`, { method: 'POST', ...init });
  const body = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, body: isJson && body !== '' ? (JSON.parse(body) as Record<string, unknown>) : body };
};
const codeOf = ({ body }: { body: unknown }) => (body as { error: { code: string } }).error.code;
const json = (value: unknown) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } });

/** Bytes on a bare connection; the answer until the server closes it. */
async function raw(...parts: string[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  for (const part of parts) socket.write(part);
  return text(socket);
}

test('hands the request to the workflow as an item and answers what it says', async () => {
  memory.answer = () => ({ response: { ...ok, status: 201, headers: { 'X-Kind': 'order', connection: 'upgrade' }, body: 'done' } });
  const answer = await call('orders?a=1&a=2&b[c]=3', { ...json({ total: 7 }), headers: { 'content-type': 'application/json', 'x-me': 'yes' } });
  expect(answer).toMatchObject({ status: 201, body: 'done' });
  expect(Object.fromEntries(answer.headers)).toMatchObject({ 'x-kind': 'order', 'millrace-execution-id': 'e0', 'content-security-policy': expect.stringContaining('sandbox'), connection: 'keep-alive' });
  expect(memory.accepted).toMatchObject([{
    namespace: 'shop', workflow: 'orders', mode: 'Webhook', replyTo: 'here',
    trigger: { node: 'Hook', items: [{ json: {
      headers: { 'x-me': 'yes' }, params: {}, query: { a: ['1', '2'], b: { c: '3' } }, body: { total: 7 },
      webhookUrl: 'https://flows.example/webhook/shop/orders', executionMode: 'production',
    } }] },
  }]);
});

test('gives path parameters', async () => {
  expect((await call('orders/a%20b', { method: 'GET' })).body).toMatchObject({ params: { id: 'a b' }, webhookUrl: 'https://flows.example/webhook/shop/orders/:id', body: {} });
});

test('tells the method to a webhook with an output for each', async () => {
  await call('both', { method: 'PUT' });
  await call('orders');
  const methods = memory.accepted.map(({ trigger }) => trigger.items[0]?.json['method']);
  expect(methods).toEqual(['PUT', undefined]);
});

test('answers at once when the workflow does not', async () => {
  memory.answer = () => undefined;
  const answer = await call('quick', { headers: { origin: 'https://a.example' } });
  expect(answer).toMatchObject({ status: 200, body: { message: 'Workflow was started' } });
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://a.example');
  expect(memory.accepted).toMatchObject([{ workflow: 'quick' }]);
  expect(memory.accepted[0]).not.toHaveProperty('replyTo');
});

test('hands an idempotency key on', async () => {
  await call('quick', { headers: { 'idempotency-key': 'order-7' } });
  expect(memory.accepted).toMatchObject([{ idempotencyKey: 'order-7' }]);
  expect(codeOf(await call('quick', { headers: { 'idempotency-key': 'x'.repeat(256) } }))).toBe('InvalidIdempotencyKey');
});

test('decompresses, and counts what comes out', async () => {
  const zipped = (value: string) => ({ body: new Uint8Array(gzipSync(value)), headers: { 'content-encoding': 'gzip', 'content-type': 'text/plain' } });
  expect((await call('orders', zipped('hello'))).body).toMatchObject({ body: 'hello' });
  expect(await call('orders', zipped('0'.repeat(100_000)))).toMatchObject({ status: 413 });
});

test('starts nothing for probes', async () => {
  const preflight = await call('quick', { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-a' } });
  expect(preflight.status).toBe(204);
  expect(Object.fromEntries(preflight.headers)).toMatchObject({ 'access-control-allow-origin': 'https://a.example', 'access-control-allow-methods': 'OPTIONS, POST', 'access-control-allow-headers': 'x-a' });
  const head = await call('orders/1', { method: 'HEAD' });
  expect([head.status, head.headers.get('allow')]).toEqual([200, 'OPTIONS, HEAD, GET']);
  expect(memory.accepted).toEqual([]);
});

test.each([
  { name: 'an unknown path', path: 'nothing', init: {}, status: 404, code: 'WebhookNotFound' },
  { name: 'another method', path: 'orders', init: { method: 'PUT' }, status: 405, code: 'MethodNotAllowed' },
  { name: 'HEAD where nobody may GET', path: 'orders', init: { method: 'HEAD' }, status: 405, code: undefined },
  { name: 'a path that is no UTF-8', path: '%ff', init: {}, status: 400, code: 'MalformedRequest' },
  { name: 'malformed JSON', path: 'orders', init: { body: '{"a":', headers: { 'content-type': 'application/json' } }, status: 400, code: 'MalformedJson' },
  { name: 'an unknown encoding', path: 'orders', init: { body: 'x', headers: { 'content-encoding': 'zip' } }, status: 400, code: 'MalformedBody' },
  { name: 'a broken encoding', path: 'orders', init: { body: 'x', headers: { 'content-encoding': 'gzip' } }, status: 400, code: 'MalformedBody' },
  { name: 'a body over the limit', path: 'orders', init: { body: 'x'.repeat(10_001) }, status: 413, code: 'BodyTooLarge' },
  { name: 'a body over the limit in chunks', path: 'orders', init: { body: new Blob(['x'.repeat(10_001)]).stream(), duplex: 'half' as const }, status: 413, code: 'BodyTooLarge' },
  { name: 'a webhook with an authentication that is no name', path: 'locked', init: {}, status: 501, code: 'WebhookNotServed' },
])('refuses $name and serves the next', async ({ path, init, status, code }) => {
  const answer = await call(path, init);
  expect(answer.status).toBe(status);
  if (code !== undefined) expect(answer.body).toMatchObject({ error: { code, message: expect.any(String), requestId: answer.headers.get('x-request-id') } });
  expect(memory.accepted).toEqual([]);
  expect((await call('orders', json({}))).status).toBe(200);
});

test.each([
  { name: 'no answer in time', reply: undefined, status: 504, error: { code: 'ResponseTimeout', details: { executionId: 'e0' } } },
  { name: 'an end without an answer', reply: { status: 'Failed' as const }, status: 500, error: { code: 'NoResponse', details: { executionId: 'e0', status: 'Failed' } } },
  { name: 'a status that is none', reply: { response: { ...ok, status: 99 } }, status: 502, error: { code: 'BadWorkflowResponse' } },
  { name: 'a header that would split the answer', reply: { response: { ...ok, headers: { 'x-a': 'b\r\nset-cookie: c' } } }, status: 502, error: { code: 'BadWorkflowResponse' } },
])('tells of $name', async ({ reply, status, error }) => {
  memory.answer = () => reply;
  expect(await call('orders')).toMatchObject({ status, body: { error } });
});

test('refuses more than it can hold, at once and only that', async () => {
  memory.answer = () => undefined;
  const answers = await Promise.all(Array.from({ length: 14 }, async () => call('orders')));
  const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
  expect(statuses).toEqual([429, 429, 429, 429, ...Array.from({ length: 10 }, () => 504)]);
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.headers.get('retry-after')).toBe('1');
  memory.answer = () => ({ response: ok });
  expect((await call('orders')).status).toBe(200);
});

test.each([
  { code: 'StoreUnavailable' as const, status: 503, want: 'Unavailable' },
  { code: 'PayloadRefused' as const, status: 422, want: 'UnacceptablePayload' },
  { code: 'StoreFailed' as const, status: 500, want: 'InternalError' },
])('does not say accepted when the store fails with $code', async ({ code, status, want }) => {
  memory.failure = new StoreError(code, 'secret detail');
  const answer = await call('quick', json({}));
  expect([answer.status, codeOf(answer)]).toEqual([status, want]);
  expect(JSON.stringify(answer.body)).not.toContain('secret detail');
});

test('cuts slow callers off and serves others meanwhile', async () => {
  const slowHeaders = raw('POST /webhook/shop/orders HTTP/1.1\r\nhost: a\r\n');
  const slowBody = raw('POST /webhook/shop/orders HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n', 'abc');
  expect((await call('orders', json({}))).status).toBe(200);
  for (const answer of await Promise.all([slowHeaders, slowBody])) {
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"RequestTimeout"');
  }
  expect(memory.accepted).toHaveLength(1);
});

test.each([
  { name: 'what is not HTTP', bytes: 'hello\r\n\r\n', status: '400', code: 'MalformedRequest' },
  { name: 'endless headers', bytes: `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, status: '431', code: 'HeadersTooLarge' },
])('answers $name with a code', async ({ bytes, status, code }) => {
  const answer = await raw(bytes);
  expect(answer).toContain(`HTTP/1.1 ${status}`);
  expect(answer).toContain(`"code":"${code}"`);
});

test('a caller that goes away in the middle of its body starts nothing', async () => {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST /webhook/shop/orders HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc');
  socket.destroy();
  expect((await call('orders', json({}))).status).toBe(200);
  expect(memory.accepted).toHaveLength(1);
});

test('looks a missed route up in the store, but not for every call', async () => {
  memory.routeList.push(route('late', [webhookTrigger('POST', 'late')]));
  const answers = await Promise.all(Array.from({ length: 5 }, async () => call('nothing')));
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
  expect(memory.lists).toBeLessThanOrEqual(1);
  memory.listener?.put(route('late', [webhookTrigger('POST', 'late')]));
  expect((await call('late')).status).toBe(200);
});
