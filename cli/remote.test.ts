import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createServer, request as forward } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore } from '../api/testdata/memory-store.ts';
import { route } from '../api/testdata/route.ts';
import { startTestServer } from '../api/testdata/test-server.ts';
import type { TestServer } from '../api/testdata/test-server.ts';
import type { ExecutionDetail } from '../store/executions.ts';
import { eventually } from '../test/eventually.ts';
import { millrace } from './testdata/memory-terminal.ts';

let api: TestServer;
let memory: MemoryStore;
let directory: string;

beforeEach(async () => {
  memory = new MemoryStore();
  memory.detail.set('e0', execution());
  api = await startTestServer({}, memory);
  directory = await mkdtemp(join(tmpdir(), 'millrace-cli-'));
});

afterEach(async () => {
  await api.stop();
  await rm(directory, { recursive: true, force: true });
});

function execution(changes: Partial<ExecutionDetail> = {}): ExecutionDetail {
  return {
    id: 'e0', namespace: 'shop', workflow: 'orders', uid: 'u', revision: 'abcdef0123456789', mode: 'Webhook', status: 'Failed', pool: 'default', priority: 5,
    createdAt: Date.parse('2026-01-01T00:00:00Z'), startedAt: Date.parse('2026-01-01T00:00:01Z'), finishedAt: Date.parse('2026-01-01T00:00:03.5Z'),
    attempts: 1, crashes: 0, hasItems: true, error: { code: 'NodeFailed', message: 'out of\u001b[31m stock', node: 'Stock' },
    nodes: [
      { node: 'Order', runIndex: 0, status: 'success', items: [1], startedAt: 0, durationMs: 0.4 },
      { node: 'Stock', runIndex: 0, status: 'error', items: [], startedAt: 0, durationMs: 2100, error: { code: 'NodeFailed', message: 'out of stock' } },
    ],
    ...changes,
  };
}

/** A command at the test server as `reader`, who may do everything in namespace shop. */
const at = (args: string[], files?: Record<string, string>) => millrace([...args, '-n', 'shop'], { env: { MILLRACE_SERVER: api.url, MILLRACE_TOKEN: 'reader' }, ...(files ? { files } : {}) });

test('runs get shows an execution node by node', async () => {
  expect(await at(['runs', 'get', 'e0'])).toEqual({ exit: 0, err: '', out: `Execution:  e0
Workflow:   shop/orders
Revision:   abcdef012345
Status:     Failed
Mode:       Webhook
Pool:       default
Accepted:   2026-01-01T00:00:00.000Z
Waited:     1.0s
Took:       2.5s
Error:      NodeFailed in Stock: out of [31m stock

NODE   RUN  STATUS   ITEMS  TIME   ERROR
Order  0    success  1      0.4ms
Stock  0    error    0      2.1s   NodeFailed: out of stock
` });
});

test('runs get tells what was undone', async () => {
  memory.detail.set('e0', execution({
    compensated: 1, nodes: [{ node: 'Cancel order', runIndex: 0, status: 'success', compensation: true, items: [1], startedAt: 0, durationMs: 1 }],
  }));
  const { out } = await at(['runs', 'get', 'e0']);
  expect(out).toContain('Undone:     1 node run\n');
  expect(out).toMatch(/Cancel order {2}0 {4}success, undo {2}1/);
});

test('runs list shows a table, a wide one, JSON, YAML', async () => {
  expect((await at(['runs', 'list'])).out).toBe('ID  WORKFLOW  STATUS  AGE  TOOK\ne0  orders    Failed  10s  2.5s\n');
  expect((await at(['runs', 'list', '-o', 'wide'])).out).toContain('NodeFailed');
  expect(JSON.parse((await at(['runs', 'ls', '-o', 'json'])).out)).toMatchObject({ items: [{ id: 'e0', createdAt: '2026-01-01T00:00:00.000Z' }] });
  expect((await at(['runs', 'list', '-o', 'yaml'])).out).toContain('- id: e0\n');
  memory.detail.clear();
  expect(await at(['runs', 'list', '--since', '2h'])).toEqual({ exit: 0, out: '', err: 'No executions found in namespace shop.\n' });
});

test('runs watch prints node runs until the end and exits by it', async () => {
  const failed = await at(['runs', 'watch', 'e0']);
  expect(failed.exit).toBe(1);
  expect(failed.out.split('\n').map((row) => row.split(/ {2,}/)[0])).toEqual(['NODE', 'Order', 'Stock', '']);
  memory.detail.set('e0', execution({ status: 'Succeeded' }));
  expect((await at(['runs', 'watch', 'e0'])).exit).toBe(0);
});

test('trigger starts with the items of a file, and waits', async () => {
  expect(await at(['trigger', 'orders', '-i', '@items.json'], { 'items.json': '[{"a":1},{"json":{"b":2}}]' })).toMatchObject({ exit: 0, out: 'Execution e0 was accepted.\n' });
  expect(memory.accepted).toMatchObject([{ workflow: 'orders', trigger: { items: [{ json: { a: 1 } }, { json: { b: 2 } }] } }]);
  memory.detail.set('e1', execution({ id: 'e1' }));
  expect(await at(['trigger', 'orders', '--wait'])).toMatchObject({ exit: 1, err: 'ExecutionFailed: Execution e1 is Failed.\n', out: expect.stringContaining('NODE') });
});

test('runs cancel', async () => {
  memory.detail.set('e0', execution({ status: 'Running' }));
  expect(await at(['runs', 'cancel', 'e0'])).toMatchObject({ exit: 0, out: 'Execution e0 is being canceled.\n' });
});

test.each([
  { name: 'a refused token', args: ['runs', 'get', 'e0', '--token', 'expired'], exit: 5, err: /^Unauthenticated: / },
  { name: 'another namespace', args: ['runs', 'list', '-A'], exit: 5, err: /^Forbidden: reader may not list/ },
  { name: 'an execution that is not there', args: ['runs', 'get', 'e9'], exit: 6, err: /^ExecutionNotFound: / },
  { name: 'an execution that has ended', args: ['runs', 'cancel', 'e0'], exit: 7, err: /^ExecutionNotCancelable: / },
  { name: 'a status that is none', args: ['runs', 'list', '-s', 'Done'], exit: 7, err: /^InvalidRequest: / },
  { name: 'a time that is none', args: ['runs', 'list', '--since', 'yesterday'], exit: 2, err: /^UsageError: / },
  { name: 'a server that is not there', args: ['runs', 'list', '--server', 'http://127.0.0.1:1'], exit: 4, err: /^ServerUnreachable: / },
  { name: 'a server that is no URL', args: ['runs', 'list', '--server', 'example.com'], exit: 2, err: /^UsageError: / },
])('says so for $name', async ({ args, exit, err }) => {
  const result = await at(args);
  expect({ exit: result.exit, err: result.err }).toEqual({ exit, err: expect.stringMatching(err) });
  expect(result.err).not.toContain('expired"');
});

/** What the Kubernetes API server does: keeps Authorization for itself, forwards the rest, makes tokens. */
async function kubernetes(): Promise<{ server: Server; url: string; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const prefix = '/api/v1/namespaces/millrace/services/http:millrace-api:http/proxy';
  const server = createServer((request, response) => {
    seen.push(request.headers);
    const { authorization: _, ...headers } = request.headers;
    if (request.url === '/api/v1/namespaces/shop/serviceaccounts/clerk/token') {
      response.writeHead(201).end(JSON.stringify({ status: { token: 'reader' } }));
    } else if (request.url?.startsWith(prefix) === true) {
      const inner = forward({ host: '127.0.0.1', port: api.port, path: request.url.slice(prefix.length), method: request.method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(inner);
    } else {
      response.writeHead(403).end(JSON.stringify({ kind: 'Status', reason: 'Forbidden', message: 'services "x" is forbidden', code: 403 }));
    }
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('not listening');
  return { server, url: `http://127.0.0.1:${address.port}`, seen };
}

async function kubeconfig(url: string, user: object): Promise<string> {
  const file = join(directory, 'config');
  await writeFile(file, JSON.stringify({
    'current-context': 'c', clusters: [{ name: 'k', cluster: { server: url } }], users: [{ name: 'u', user }], contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', namespace: 'shop' } }],
  }));
  return file;
}

test('reaches the api through the Kubernetes API server, with the token and namespace of the kubeconfig', async () => {
  const { server, url, seen } = await kubernetes();
  try {
    const env = { KUBECONFIG: await kubeconfig(url, { token: 'reader' }) };
    expect(await millrace(['runs', 'get', 'e0'], { env })).toMatchObject({ exit: 0, out: expect.stringContaining('shop/orders') });
    expect((await millrace(['runs', 'watch', 'e0'], { env })).out).toContain('Stock');
    expect(seen[0]).toMatchObject({ authorization: 'Bearer reader', 'millrace-token': 'reader' });
    expect(await millrace(['runs', 'get', 'e0', '--api-service', 'elsewhere/api'], { env })).toMatchObject({ exit: 5, err: expect.stringMatching(/^Forbidden: The Kubernetes API server says: /) });
  } finally {
    server.close();
  }
});

test('a kubeconfig without a token needs a service account', async () => {
  const { server, url } = await kubernetes();
  try {
    const env = { KUBECONFIG: await kubeconfig(url, {}) };
    expect(await millrace(['runs', 'get', 'e0'], { env })).toMatchObject({ exit: 5, err: expect.stringMatching(/^NoToken: .*--service-account/) });
    expect(await millrace(['runs', 'get', 'e0', '--service-account', 'clerk'], { env })).toMatchObject({ exit: 0 });
    expect(await millrace(['runs', 'get', 'e0', '--service-account', 'bank/clerk'], { env })).toMatchObject({ exit: 5, err: expect.stringContaining('forbidden') });
  } finally {
    server.close();
  }
});

test('listen shows where, then what the one call does', async () => {
  memory.routeList = [route('orders', [], { active: false })];
  const draft = JSON.stringify({ apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: 'orders' }, spec: { nodes: [{ name: 'Hook', type: 'webhook', parameters: { path: 'draft' } }] } });
  const listening = at(['listen', 'draft.yaml', '--seconds', '60'], { 'draft.yaml': draft });
  await eventually(() => expect(memory.open.size).toBe(1));
  expect((await fetch(`${api.url}/webhook-test/shop/draft`)).status).toBe(200);
  const id = memory.accepted[0]?.id ?? '';
  memory.detail.set(id, execution({ id, status: 'Succeeded' }));
  const { exit, out, err } = await listening;
  expect([exit, err]).toEqual([0, expect.stringMatching(/^Listening at GET \S+\/webhook-test\/shop\/draft \(Hook\)\nExecution \S+: Succeeded/)]);
  expect(out).toContain('Order');
});

test('listen says when nobody called, and who may not', async () => {
  memory.routeList = [route('orders', [], { stable: 'r' })];
  memory.definitions.set('r', { id: 'shop/orders', name: 'orders', nodes: [{ name: 'Hook', type: 'webhook', parameters: { path: 'x' } }], connections: [] });
  expect(await at(['listen', 'orders', '--seconds', '1'])).toMatchObject({ exit: 1, err: expect.stringContaining('NothingCalled') });
  expect(await millrace(['listen', 'orders', '-n', 'bank'], { env: { MILLRACE_SERVER: api.url, MILLRACE_TOKEN: 'reader' } })).toMatchObject({ exit: 5, err: expect.stringContaining('Forbidden') });
});

test('activate and deactivate change the object and pass warnings on', async () => {
  api.cluster.write = (path, { method, body, asUser, onWarning }) => {
    onWarning?.('look twice');
    return { path, method, body, asUser };
  };
  expect(await at(['activate', 'orders'])).toEqual({ exit: 0, out: 'Workflow shop/orders activated.\n', err: 'Warning: look twice\n' });
  expect(await at(['deactivate', 'orders', '--dry-run'])).toMatchObject({ exit: 0, out: 'Workflow shop/orders deactivated (dry run).\n' });
});
