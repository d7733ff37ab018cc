import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { silentLog } from './log.ts';
import { manualClock } from './manual-clock.ts';
import { systemClock } from './system-clock.ts';
import { Transport } from './transport.ts';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from './clock.ts';
import type { Exchange } from './cluster.ts';
import type { Credentials } from './credentials.ts';

let server: Server;
let base: string;
let handle: (request: IncomingMessage, response: ServerResponse) => void;
let seen: IncomingMessage[];
const sockets = new Set<Socket>();
let opened: Transport[];

beforeEach(async () => {
  seen = [];
  opened = [];
  server = createServer((request, response) => {
    seen.push(request);
    handle(request, response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  handle = (_request, response) => json(response, 200, { ok: true });
});

afterEach(async () => {
  await Promise.all(opened.map((transport) => transport.close()));
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
});

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

const status = (code: number, reason: string, message: string): object => ({ kind: 'Status', status: 'Failure', code, reason, message });

async function open(options: { clock?: Clock; source?: (rejected: boolean) => Partial<Credentials> } = {}): Promise<Transport> {
  const transport = await Transport.open({
    source: async ({ rejected }) => ({ server: base, namespace: 'ns', tls: {}, headers: {}, ...options.source?.(rejected) }),
    clock: options.clock ?? systemClock,
    log: silentLog,
    userAgent: 'test',
  });
  opened.push(transport);
  return transport;
}

test('sends query, body, content type and impersonation, and parses the answer', async () => {
  let body = '';
  handle = (request, response) => {
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => json(response, 201, { made: 1 }));
  };
  const transport = await open({ source: () => ({ server: `${base}/prefix/`, headers: { authorization: 'Bearer t' } }) });
  const answer = await transport.request('/api/v1/x', {
    method: 'POST',
    query: { dryRun: 'All', none: undefined, limit: 5 },
    body: { a: 'ü' },
    contentType: 'application/apply-patch+yaml',
    asUser: { user: 'ann', uid: '7', groups: ['a', 'b'], extra: { 'example.com/Scope': ['x'] } },
  });
  expect(answer).toEqual({ made: 1 });
  expect(body).toBe('{"a":"ü"}');
  expect(seen[0]).toMatchObject({ method: 'POST', url: '/prefix/api/v1/x?dryRun=All&limit=5' });
  expect(seen[0]?.rawHeaders.join('|')).toContain('impersonate-group|a|impersonate-group|b');
  expect(seen[0]?.headers).toMatchObject({
    authorization: 'Bearer t',
    'content-type': 'application/apply-patch+yaml',
    'impersonate-user': 'ann',
    'impersonate-uid': '7',
    'impersonate-extra-example.com%2fscope': 'x',
    'user-agent': 'test',
  });
});

test.each([
  { name: 'a Status', code: 404, body: status(404, 'NotFound', 'things "x" not found'), want: { status: 404, reason: 'NotFound', message: 'GET /api/v1/x: things "x" not found' } },
  { name: 'the text of a proxy', code: 502, body: 'no backend', want: { status: 502, reason: 'BadGateway' } },
  { name: 'a status nobody knows', code: 418, body: {}, want: { status: 418, reason: 'Http418' } },
])('a failure told by $name becomes a KubeError', async ({ code, body, want }) => {
  handle = (_request, response) => json(response, code, body);
  const transport = await open();
  await expect(transport.request('/api/v1/x')).rejects.toMatchObject({ name: 'KubeError', ...want });
});

test('an answer that is not JSON fails without being quoted', async () => {
  handle = (_request, response) => response.end('{"data": secret');
  const transport = await open();
  const failure = await transport.request('/api/v1/x').catch((err: unknown) => err as Error);
  expect(failure).toMatchObject({ reason: 'ApiServerAnswerMalformed' });
  expect(JSON.stringify(failure) + String((failure as Error).stack)).not.toContain('secret');
});

test('a server that is not there is unreachable', async () => {
  const transport = await open({ source: () => ({ server: 'http://127.0.0.1:1' }) });
  await expect(transport.request('/api')).rejects.toMatchObject({ status: 0, reason: 'ApiServerUnreachable' });
});

test('on 401 the credentials are read again and the request is repeated once', async () => {
  handle = (request, response) => {
    if (request.headers.authorization === 'Bearer new') json(response, 200, { ok: true });
    else json(response, 401, status(401, 'Unauthorized', 'no'));
  };
  const transport = await open({ source: (rejected) => ({ headers: { authorization: rejected ? 'Bearer new' : 'Bearer old' } }) });
  expect(await transport.request('/api', { method: 'POST', body: { a: 1 } })).toEqual({ ok: true });
  expect(await transport.request('/api')).toEqual({ ok: true });
  expect(seen.length).toBe(3);
  handle = (_request, response) => json(response, 401, status(401, 'Unauthorized', 'no'));
  await expect(transport.request('/api')).rejects.toMatchObject({ status: 401 });
  expect(seen.length).toBe(5);
});

test('a token that rotates is used within a minute; when it cannot be read, the old one goes on', async () => {
  const clock = manualClock();
  let token = 'one';
  const transport = await open({
    clock,
    source: () => {
      if (token === 'gone') throw new Error('half written');
      return { headers: { authorization: `Bearer ${token}` } };
    },
  });
  await transport.request('/api');
  token = 'two';
  await transport.request('/api');
  await clock.advance(61_000);
  await transport.request('/api');
  token = 'gone';
  await clock.advance(61_000);
  await transport.request('/api');
  expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer one', 'Bearer two', 'Bearer two']);
});

test('when certificates or the server change, new connections are opened and the old ones closed', async () => {
  const clock = manualClock();
  let ca = 'a';
  const transport = await open({ clock, source: () => ({ tls: { ca } }) });
  const answers = Array.from({ length: 3 }, () => transport.request('/api'));
  await Promise.all(answers);
  const before = new Set(sockets);
  ca = 'b';
  await clock.advance(61_000);
  await transport.request('/api');
  expect(before.has(seen.at(-1)?.socket as Socket)).toBe(false);
});

test('credentials that cannot be had are an error with a code', async () => {
  const failing = Transport.open({ source: () => Promise.reject(new Error('no file')), clock: systemClock, log: silentLog, userAgent: 'test' });
  await expect(failing).rejects.toMatchObject({ reason: 'CredentialsUnavailable', message: expect.stringContaining('no file') });
});

test('a request that is throttled is repeated after the time the server asks for, but not for ever', async () => {
  handle = (_request, response) => {
    if (seen.length < 3) json(response, 429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '1' });
    else json(response, 200, { ok: true });
  };
  const clock = manualClock(() => 0);
  const transport = await open({ clock });
  const answer = transport.request('/api');
  const advance = setInterval(() => void clock.advance(500), 10);
  expect(await answer).toEqual({ ok: true });
  expect(clock.monotonic()).toBeGreaterThanOrEqual(2000);
  handle = (_request, response) => json(response, 429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '1' });
  seen = [];
  await expect(transport.request('/api')).rejects.toMatchObject({ status: 429, retryAfterMs: 1000 });
  expect(seen.length).toBe(4);
  clearInterval(advance);
});

test('a request ends at its deadline and at the signal of its caller', async () => {
  handle = () => {};
  const transport = await open();
  await expect(transport.request('/api', { timeoutMs: 50 })).rejects.toMatchObject({ reason: 'ApiServerTimeout' });
  const stop = new AbortController();
  const answer = transport.request('/api', { signal: stop.signal });
  stop.abort(new Error('stopped'));
  await expect(answer).rejects.toThrow('stopped');
});

test('reading is repeated when an idle connection turns out to be closed, writing is not', async () => {
  let broken = true;
  handle = (request, response) => {
    if (broken) request.socket.destroy();
    else json(response, 200, { ok: true });
    broken = false;
  };
  const transport = await open();
  expect(await transport.request('/api')).toEqual({ ok: true });
  broken = true;
  await expect(transport.request('/api', { method: 'POST', body: {} })).rejects.toMatchObject({ reason: 'ApiServerUnreachable' });
});

test('a stream gives its bytes as they come, and fails on silence, on a reset and on an error answer', async () => {
  const transport = await open();
  const { signal } = new AbortController();
  handle = (_request, response) => {
    response.write('a');
    setTimeout(() => response.end('b'), 20);
  };
  const parts: string[] = [];
  for await (const part of await transport.stream('/watch', { signal, idleMs: 5000 })) parts.push(Buffer.from(part).toString());
  expect(parts).toEqual(['a', 'b']);

  const read = async (): Promise<void> => {
    for await (const _part of await transport.stream('/watch', { signal, idleMs: 1000 })) void _part;
  };
  handle = (_request, response) => response.write('a');
  await expect(read()).rejects.toMatchObject({ reason: 'ApiServerTimeout' });
  handle = (request, response) => response.write('a', () => request.socket.resetAndDestroy());
  await expect(read()).rejects.toMatchObject({ reason: 'ApiServerUnreachable' });
  handle = (_request, response) => json(response, 410, status(410, 'Expired', 'too old'));
  await expect(read()).rejects.toMatchObject({ status: 410, reason: 'Expired' });
});

test('a stream that is left or aborted closes its connection', async () => {
  handle = (_request, response) => response.write('a');
  const transport = await open();
  for await (const _part of await transport.stream('/watch', { signal: new AbortController().signal, idleMs: 5000 })) break;
  const stop = new AbortController();
  const stream = await transport.stream('/watch', { signal: stop.signal, idleMs: 5000 });
  const reading = (async () => {
    for await (const _part of stream) stop.abort(new Error('enough'));
  })();
  await expect(reading).rejects.toThrow('enough');
  const closed = seen.map(({ socket }) => new Promise((resolve) => (socket.destroyed ? resolve(true) : socket.once('close', resolve))));
  await Promise.all(closed);
});

test('many requests at once share few connections', async () => {
  const transport = await open();
  await Promise.all(Array.from({ length: 500 }, () => transport.request('/api')));
  await Promise.all(Array.from({ length: 500 }, () => transport.request('/api')));
  expect(new Set(seen.map(({ socket }) => socket)).size).toBeLessThanOrEqual(32);
});

test('observers are told each exchange', async () => {
  const exchanges: Exchange[] = [];
  const transport = await open();
  transport.observers.add((exchange) => exchanges.push(exchange));
  await transport.request('/api');
  handle = (_request, response) => json(response, 500, {});
  await transport.request('/api', { method: 'PUT' }).catch(() => {});
  expect(exchanges.map(({ method, status: code }) => [method, code])).toEqual([
    ['GET', 200],
    ['PUT', 500],
  ]);
});
