import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { eventually } from '../eventually.ts';
import { Millrace } from './millrace.ts';

jest.setTimeout(600_000);

let millrace: Millrace;
let api: URL;
let neighbour: { stop(): Promise<number> };

const hook = (path: string, responseMode = 'onReceived') => ({ name: 'Hook', type: 'webhook', position: [0, 0], parameters: { httpMethod: 'POST', path, responseMode } });
const wire = (from: string, to: string) => ({ from, output: 0, to, input: 0, type: 'main' });
const spec = (path: string, node: object) => ({ active: true, nodes: [hook(path), { name: 'Bad', position: [200, 0], ...node }], connections: [wire('Hook', 'Bad')] });
const code = (jsCode: string) => ({ type: 'code', parameters: { jsCode } });
const set = (value: string) => ({ type: 'set', parameters: { assignments: { assignments: [{ id: 'a', name: 'a', type: 'string', value }] } } });
const workflow = (name: string, of: object) => ({ apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: millrace.namespace }, spec: of });

beforeAll(async () => {
  millrace = await Millrace.start('bad-input');
  api = new URL(await millrace.cluster.serviceUrl(millrace.system, 'millrace-api'));
  await millrace.deploy('neighbour', {
    nodes: [hook('neighbour', 'lastNode'), { name: 'Answer', type: 'set', position: [200, 0], parameters: { assignments: { assignments: [{ id: 'n', name: 'n', type: 'number', value: '={{ $json.body.n + 1 }}' }] } } }],
    connections: [wire('Hook', 'Answer')],
  });
  neighbour = startNeighbour();
});
afterAll(() => millrace.remove());

/** Calls the workflow next door over and over; every call must be answered, and rightly. */
function startNeighbour(): { stop(): Promise<number> } {
  const stop = new AbortController();
  const running = (async () => {
    let n = 0;
    for (; !stop.signal.aborted; n += 1) {
      expect(await millrace.webhook('neighbour', { n })).toEqual({ status: 200, json: { n: n + 1 } });
      await delay(100);
    }
    return n;
  })();
  // Whoever stops it hears of a failure; until then it must not end the process.
  running.catch(() => undefined);
  return {
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

describe('what is refused when it is applied', () => {
  test('YAML that is none', async () => {
    await expect(millrace.cluster.apply('apiVersion: millrace.dev/v1alpha1\nkind: Workflow\nmetadata: {name: a\n  spec: [')).rejects.toThrow(/yaml/i);
  });

  test('1.4 MB', async () => {
    const big = spec('big', set('x'.repeat(1_400_000)));
    await expect(millrace.cluster.apply(workflow('big', big))).rejects.toThrow(/WorkflowTooLarge|Too long|too large/i);
  });

  test('5,000 nodes', async () => {
    const nodes = [hook('many'), ...Array.from({ length: 5000 }, (_, index) => ({ name: `N${index}`, type: 'noOp', position: [0, 0] }))];
    await expect(millrace.cluster.apply(workflow('many', { active: true, nodes }))).rejects.toThrow(/Too many|at most/i);
  });

  test('an expression that is none', async () => {
    await expect(millrace.cluster.apply(workflow('syntax', spec('syntax', set('={{ 1 + }}'))))).rejects.toThrow(/Bad.*ExpressionSyntax/s);
  });
});

describe('what fails when it is executed, with a code and the name of the node', () => {
  const grow = 'const all = []; for (;;) all.push(new Array(1000).fill({ a: 1 }).map((x) => ({ ...x })));';
  const buffers = 'const all = []; for (let i = 0; i < 4000; i += 1) { all.push(new Uint8Array(4e6).fill(1)); await null; } return items;';
  test.each([
    { name: 'endless-expression', node: set('={{ (() => { for (;;) {} })() }}'), want: /ExecutionStalled/ },
    { name: 'endless-code', node: code('for (;;) {}'), want: /ExecutionStalled/ },
    { name: 'recursion', node: code('const dig = (n) => dig(n + 1) + 1; return [{ json: { n: dig(0) } }];'), want: /CodeFailed/ },
    { name: 'heap', node: code(grow), want: /MemoryLimitExceeded|ExecutorCrashed/ },
    { name: 'array-buffers', node: code(buffers), want: /MemoryLimitExceeded|ExecutorCrashed/ },
    { name: 'exit', node: code('process.exit(1);'), want: /CodeFailed/ },
  ])('$name', async ({ name, node, want }) => {
    await millrace.deploy(name, spec(name, node));
    expect((await millrace.webhook(name)).status).toBe(200);
    const [ended] = await millrace.finished(name, 1);
    expect((await millrace.api(`/executions/${ended?.id}`)).json).toMatchObject({ status: 'Failed', error: { code: expect.stringMatching(want), node: 'Bad' } });
  });
});

describe('what the api refuses', () => {
  test('a body over the limit, announced or not', async () => {
    const body = new Uint8Array(17 * 2 ** 20).fill(32);
    for (const send of [body, new Blob([body]).stream()]) {
      const response = await fetch(new URL(`/webhook/${millrace.namespace}/neighbour`, api), { method: 'POST', body: send, headers: { 'content-type': 'application/json' }, ...(send === body ? {} : { duplex: 'half' }) });
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ error: { code: 'BodyTooLarge' } });
    }
  });

  test('JSON that is none', async () => {
    const response = await fetch(new URL(`/webhook/${millrace.namespace}/neighbour`, api), { method: 'POST', body: '{"n": ', headers: { 'content-type': 'application/json' } });
    expect({ status: response.status, json: await response.json() }).toMatchObject({ status: 400, json: { error: { code: 'MalformedJson' } } });
  });

  test.each([
    { name: 'no token', token: async () => undefined },
    { name: 'a token that is none', token: async () => 'abc' },
    { name: 'a token of another key', token: async () => (await tokenOf({ expiresIn: 3600 })).replace(/.{20}$/, 'A'.repeat(20)) },
    { name: 'an expired token', token: async () => tokenOf({ expiresIn: -60 }) },
  ])('$name', async ({ token }) => {
    const bearer = await token();
    const response = await fetch(new URL(`/api/v1/namespaces/${millrace.namespace}/executions`, api), { headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` } });
    expect({ status: response.status, json: await response.json() }).toMatchObject({ status: 401, json: { error: { code: 'Unauthenticated' } } });
  });

  test('the test makes good tokens: the same one is taken while it is fresh', async () => {
    const response = await fetch(new URL(`/api/v1/namespaces/${millrace.namespace}/executions`, api), { headers: { authorization: `Bearer ${await tokenOf({ expiresIn: 3600 })}` } });
    expect(response.status).toBe(200);
  });

  test('clients that send a byte now and then: they are told 408, and hold nobody up', async () => {
    const slow = Array.from({ length: 100 }, () => slowClient());
    const answers = await Promise.all(slow);
    expect(answers.map((text) => text.startsWith('HTTP/1.1 408 '))).toEqual(answers.map(() => true));
  });
});

test('the workflow next door was answered all the time', async () => {
  expect(await neighbour.stop()).toBeGreaterThan(50);
});

/** As the cluster itself would sign it for the editor of the namespace. */
async function tokenOf({ expiresIn }: { expiresIn: number }): Promise<string> {
  const fresh = await millrace.kubectl('create', 'token', 'editor');
  const [header = '', payload = ''] = fresh.trim().split('.');
  const now = Math.floor(Date.now() / 1000);
  const claims = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), iat: now - 3600, nbf: now - 3600, exp: now + expiresIn };
  const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const key = await readFile(join(millrace.cluster.machine.spec.dir, 'pki', 'service-accounts.key'), 'utf8');
  return `${signed}.${createSign('SHA256').update(signed).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url')}`;
}

/** Begins a request and never gets to its end. Resolves to what it was answered when it was cut off. */
async function slowClient(): Promise<string> {
  const socket: Socket = connect(Number(api.port === '' ? 80 : api.port), api.hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => { answer += chunk.toString(); });
  socket.on('error', () => undefined);
  socket.write('POST /webhook/bad-input/neighbour HTTP/1.1\r\nHost: slow\r\nContent-Length: 1000\r\n');
  const drip = setInterval(() => socket.write('X-A: b\r\n'), 2000);
  await eventually(() => expect(socket.readableEnded || socket.destroyed).toBe(true), { withinMs: 180_000, everyMs: 200 });
  clearInterval(drip);
  socket.destroy();
  return answer;
}
