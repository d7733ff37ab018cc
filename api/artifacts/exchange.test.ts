import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { silentLog } from '../../operator/kube/log.ts';
import type { PodFile, PodStep } from '../../store/pod-steps.ts';
import { ApiError } from '../problem.ts';
import { answerError } from '../error-response.ts';
import { createMetrics } from '../metrics.ts';
import { ByteBudget } from '../webhook/read-body.ts';
import { artifactExchange } from './exchange.ts';

const ID = '0123456789abcdef0123';
const FILE = '8b0d4cbb-2b0f-4c1c-9b5c-5d4f3f0f3a11';
const POD = `report-${ID}-2`;
const bytes = Buffer.from(Array.from({ length: 2_500_000 }, (_, n) => n % 251));

let server: Server;
let step: PodStep | undefined;
let files: Map<string, Uint8Array>;
let kept: Map<number, PodFile>;
/** The try that the store knows of. */
let current: number;
let budget: ByteBudget;

beforeEach(async () => {
  step = {
    id: ID, executionId: 'e', namespace: 'shop', workflow: 'report', node: 'Pod', attempt: 2, active: true, failures: 1, ageMs: 0, startMs: 0, isOver: false, abandoned: false,
    spec: { image: 'busybox', artifacts: { in: [{ path: '/in/a', file: { id: FILE, size: bytes.length, sha256: '0'.repeat(64) } }, { path: '/in/b', raw: 'Grüße' }], out: [{ path: '/out/a.csv', binaryProperty: 'a' }, { path: '/out', binaryProperty: 'all', pack: true }] } },
  };
  files = new Map([[FILE, bytes]]);
  kept = new Map();
  current = 2;
  budget = new ByteBudget(2 ** 22);
  const exchange = artifactExchange({
    auth: {
      authenticate: async (token) => {
        const [namespace, pod] = token.split('/');
        if (namespace === 'nobody') throw new ApiError('Unauthenticated', 'no');
        return { username: `system:serviceaccount:${namespace}:default`, extra: pod === undefined ? {} : { 'authentication.kubernetes.io/pod-name': [pod] } };
      },
    },
    steps: {
      get: async (id) => (id === step?.id ? step : undefined),
      keepFile: async ({ attempt }, index, file) => {
        if (attempt !== current) return false;
        kept.set(index, file);
        return true;
      },
    },
    binaries: {
      writeBytes: 2 ** 21,
      read: async (id, offset, length) => files.get(id)?.subarray(offset, offset + length),
      write: async ({ executionId, id }, content) => {
        const whole = await buffer(content);
        files.set(`${executionId} ${id}`, whole);
        return { size: whole.length, sha256: 'digest' };
      },
    },
    budget,
    maxBytes: 3_000_000,
  });
  server = createServer((request, response) => {
    exchange(request, response).catch((error: unknown) => answerError(error, response, { log: silentLog, metrics: createMetrics() }));
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
});

afterEach(async () => {
  expect(budget.used).toBe(0);
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
});

const call = (path: string, token: string | undefined = `shop/${POD}`, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, { ...init, headers: token === '' ? {} : { authorization: `Bearer ${token}` } });
const codeOf = async (response: Response) => [response.status, ((await response.json()) as { error: { code: string } }).error.code];

test('a pod gets the files of its own step, whole', async () => {
  expect(Buffer.from(await (await call('/inputs/0')).arrayBuffer()).equals(bytes)).toBe(true);
  expect(await (await call('/inputs/1')).text()).toBe('Grüße');
});

test.each<{ name: string; token: string; want: [number, string] }>([
  { name: 'without a token', token: '', want: [401, 'Unauthenticated'] },
  { name: 'with a wrong token', token: 'nobody', want: [401, 'Unauthenticated'] },
  { name: 'with a token of no pod', token: 'shop', want: [403, 'ArtifactRefused'] },
  { name: 'from an earlier try', token: `shop/report-${ID}-1`, want: [403, 'ArtifactRefused'] },
  { name: 'from another step', token: 'shop/report-0123456789abcdef0124-2', want: [403, 'ArtifactRefused'] },
  { name: 'from another pod', token: `shop/other-${ID}-2`, want: [403, 'ArtifactRefused'] },
  { name: 'from another namespace', token: `other/${POD}`, want: [403, 'ArtifactRefused'] },
])('a call $name gets nothing', async ({ token, want }) => {
  expect(await codeOf(await call('/inputs/0', token))).toEqual(want);
});

test.each<{ name: string; change: Partial<PodStep> }>([{ name: 'is over', change: { isOver: true } }, { name: 'nobody waits for', change: { abandoned: true } }])('a step that $name has no files any more', async ({ change }) => {
  step = { ...(step as PodStep), ...change };
  expect(await codeOf(await call('/inputs/0'))).toEqual([403, 'ArtifactRefused']);
});

test('what is not there is said so', async () => {
  files.clear();
  expect(await codeOf(await call('/inputs/0'))).toEqual([404, 'ArtifactNotFound']);
  expect(await codeOf(await call('/inputs/2'))).toEqual([404, 'ArtifactNotFound']);
  expect(await codeOf(await call('/'))).toEqual([404, 'NotFound']);
  expect(await codeOf(await call('/inputs/0', undefined, { method: 'PUT' }))).toEqual([405, 'MethodNotAllowed']);
});

test('files wait while requests hold as much memory as they may', async () => {
  budget.take(2 ** 22);
  expect(await codeOf(await call('/inputs/0'))).toEqual([429, 'TooManyRequests']);
  budget.give(2 ** 22);
});

test('a file that ends early ends the answer early', async () => {
  files.set(FILE, bytes.subarray(0, 1_500_000));
  await expect(call('/inputs/0').then((response) => response.arrayBuffer())).rejects.toThrow('terminated');
});

const give = (path: string, body: string | Buffer<ArrayBuffer>, method = 'PUT') => call(path, undefined, { method, body });

test('what a pod gives becomes a file of its execution, named after its path', async () => {
  expect((await give('/outputs/0', bytes)).status).toBe(200);
  expect((await give('/outputs/1', 'archive')).status).toBe(200);
  const ids = [...kept.values()].flatMap((one) => ('file' in one ? [one.file.id] : []));
  expect([...kept]).toEqual([
    [0, { file: { id: ids[0], mimeType: 'text/csv', size: bytes.length, sha256: 'digest', fileName: 'a.csv', fileExtension: 'csv' } }],
    [1, { file: { id: ids[1], mimeType: 'application/gzip', size: 7, sha256: 'digest', fileName: 'out.tar.gz', fileExtension: 'gz' } }],
  ]);
  expect(bytes.equals(files.get(`e ${ids[0]}`) ?? Buffer.of())).toBe(true);
});

test('a pod says why it gives none, and may give it after all', async () => {
  expect((await give('/outputs/0', JSON.stringify({ code: 'ArtifactMissing', message: 'nothing' }), 'POST')).status).toBe(200);
  expect(kept.get(0)).toEqual({ problem: { code: 'ArtifactMissing', message: 'nothing' } });
  await give('/outputs/0', 'x');
  expect(kept.get(0)).toMatchObject({ file: { size: 1 } });
});

test.each<{ name: string; path: string; method: string; body: string | Buffer<ArrayBuffer>; want: [number, string] }>([
  { name: 'a file that the step does not give', path: '/outputs/2', method: 'PUT', body: 'x', want: [404, 'ArtifactNotFound'] },
  { name: 'more than allowed', path: '/outputs/0', method: 'PUT', body: Buffer.alloc(3_000_001), want: [413, 'BodyTooLarge'] },
  { name: 'a reason that is none', path: '/outputs/0', method: 'POST', body: '{}', want: [400, 'MalformedBody'] },
  { name: 'another method', path: '/outputs/0', method: 'DELETE', body: '', want: [405, 'MethodNotAllowed'] },
])('$name is refused', async ({ path, method, body, want }) => {
  expect(await codeOf(await give(path, body, method))).toEqual(want);
  expect(kept.size).toBe(0);
});

test('what comes when the try is over does not count', async () => {
  current = 3;
  expect(await codeOf(await give('/outputs/0', 'x'))).toEqual([403, 'ArtifactRefused']);
  expect(kept.size).toBe(0);
});
