import { expect, test } from '@jest/globals';
import { WorkflowError } from '../engine/error.ts';
import { guardedFetch, type CircuitCalls } from './guarded-fetch.ts';

const breaker = { minimumRequests: 1 };
const failure = (cause?: unknown): TypeError => new TypeError('fetch failed', { cause });

function world(fetch: () => Promise<Response>, enter: CircuitCalls['enter'] = async () => ({ probe: false })) {
  const left: object[] = [];
  return { left, fetch: guardedFetch(fetch, { enter, leave: (request) => void left.push(request) }) };
}

test.each([
  { name: 'an answer', fetch: async () => new Response('', { status: 200 }), failed: [false] },
  { name: 'an answer that refuses', fetch: async () => new Response('', { status: 404 }), failed: [false] },
  { name: 'an answer that the host is broken', fetch: async () => new Response('', { status: 503 }), failed: [true] },
  { name: 'no connection', fetch: async () => Promise.reject(failure(new Error('ECONNREFUSED'))), failed: [true] },
  { name: 'a refused address', fetch: async () => Promise.reject(failure(new WorkflowError('EgressDenied', 'no'))), failed: [] },
  { name: 'a refused address, deeper', fetch: async () => Promise.reject(failure(new Error('connect', { cause: new WorkflowError('EgressDenied', 'no') }))), failed: [] },
  { name: 'a request that cannot be written', fetch: async () => Promise.reject(new TypeError('Invalid header')), failed: [] },
])('$name is told as failed: $failed', async ({ fetch, failed }) => {
  const { left, ...guarded } = world(fetch);
  await guarded.fetch('https://api.example.com:8443/a?b=c', {}, breaker).catch(() => undefined);
  expect(left).toEqual(failed.map((of) => ({ host: 'api.example.com:8443', breaker, probe: false, failed: of })));
});

test.each([
  { name: 'too late', reason: new DOMException('late', 'TimeoutError'), failed: [true] },
  { name: 'canceled', reason: new WorkflowError('ExecutionCanceled', 'canceled'), failed: [] },
])('$name is told as failed: $failed', async ({ reason, failed }) => {
  const { left, fetch } = world(() => Promise.reject(reason));
  await expect(fetch('http://api.example.com', { signal: AbortSignal.abort(reason) }, breaker)).rejects.toBe(reason);
  expect(left).toMatchObject(failed.map((of) => ({ failed: of })));
});

test('a host whose circuit is open gets no request', async () => {
  const open = new WorkflowError('CircuitOpen', 'open');
  let sent = 0;
  const { left, fetch } = world(async () => { sent += 1; return new Response(); }, () => Promise.reject(open));
  await expect(fetch('http://api.example.com', {}, breaker)).rejects.toBe(open);
  expect({ sent, left }).toEqual({ sent: 0, left: [] });
});

test('without a breaker nobody is asked', async () => {
  const { fetch } = world(async () => new Response('yes'), () => Promise.reject(new Error('asked')));
  expect(await (await fetch('http://api.example.com', {})).text()).toBe('yes');
});
