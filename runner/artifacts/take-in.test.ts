import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApiClient } from './api-client.ts';
import type { Incoming } from './plan.ts';
import { takeIn } from './take-in.ts';

const run = promisify(execFile);

let directory: string;
let root: string;
let server: Server;
let answer: RequestListener;
const asked: string[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-artifacts-'));
  root = join(directory, 'volume');
  await mkdir(root);
  await writeFile(join(directory, 'token'), 'secret\n');
  asked.length = 0;
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
  await rm(directory, { recursive: true });
});

const client = (patienceMs = 10_000) => new ApiClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokenFile: join(directory, 'token'), patienceMs }, () => undefined);
const file = (change: Partial<Incoming> = {}): Incoming => ({ root, path: 'in/0', at: '/data/in.csv', mode: 0o644, unpack: false, ...change });
const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const take = (change: Partial<Incoming>, patienceMs?: number) => takeIn([file(change)], client(patienceMs));

test('a file is where it belongs, with its permissions, and asked for with the token', async () => {
  answer = (_, response) => response.end('a,b\n');
  await takeIn([file({ mode: 0o755, sha256: sha256('a,b\n') }), file({ path: 'in/1' })], client());
  expect(await readFile(join(root, 'in/0'), 'utf8')).toBe('a,b\n');
  expect((await stat(join(root, 'in/0'))).mode & 0o777).toBe(0o755);
  expect(asked).toEqual(['/inputs/0 Bearer secret', '/inputs/1 Bearer secret']);
});

test.each<{ name: string; fail: RequestListener }>([
  { name: 'is starting', fail: (_, response) => response.writeHead(503).end() },
  { name: 'has much to do', fail: (_, response) => response.writeHead(429).end() },
  { name: 'ends in the middle of a file', fail: (_, response) => response.writeHead(200, { 'content-length': 4 }).write('a,', () => response.destroy()) },
  { name: 'sends other bytes', fail: (_, response) => response.end('a,c\n') },
  { name: 'cuts the connection', fail: (request) => request.socket.destroy() },
])('an api that $name is asked again', async ({ fail }) => {
  answer = (request, response) => (asked.length < 3 ? fail(request, response) : response.end('a,b\n'));
  await take({ sha256: sha256('a,b\n') });
  expect(await readFile(join(root, 'in/0'), 'utf8')).toBe('a,b\n');
  expect(asked).toHaveLength(3);
});

test.each<{ name: string; status: number; code: string }>([
  { name: 'a file that is gone', status: 404, code: 'BinaryNotFound' },
  { name: 'a pod that is not meant', status: 403, code: 'ArtifactNotTransferred' },
])('$name is not asked for again', async ({ status, code }) => {
  answer = (_, response) => response.writeHead(status).end();
  await expect(take({})).rejects.toMatchObject({ code });
  expect(asked).toHaveLength(1);
});

test('an api that stays away is said to', async () => {
  answer = (_, response) => response.writeHead(503).end('no database');
  await expect(take({}, 300)).rejects.toMatchObject({ code: 'ArtifactNotTransferred', message: expect.stringContaining('HTTP 503 no database') });
});

test('an archive becomes a directory, also when it comes in two attempts', async () => {
  await mkdir(join(directory, 'from/sub'), { recursive: true });
  await writeFile(join(directory, 'from/sub/a.txt'), 'inside');
  await run('tar', ['-czf', join(directory, 'a.tgz'), '-C', join(directory, 'from'), '.']);
  const bytes = await readFile(join(directory, 'a.tgz'));
  answer = (_, response) => (asked.length < 2 ? response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 40), () => response.destroy()) : response.end(bytes));
  await take({ unpack: true, sha256: sha256(bytes) });
  expect(await readFile(join(root, 'in/0/sub/a.txt'), 'utf8')).toBe('inside');
});

test('what is no archive is refused at once, however long it is', async () => {
  answer = (_, response) => response.end(Buffer.alloc(5_000_000, 'x'));
  await expect(take({ unpack: true })).rejects.toMatchObject({ code: 'ArtifactInvalid', message: expect.stringContaining('/data/in.csv') });
});

test('nothing is written where a link leads out of the volume, nor onto a directory', async () => {
  await symlink(directory, join(root, 'out'));
  await mkdir(join(root, 'full/x'), { recursive: true });
  answer = (_, response) => response.end('a,b\n');
  await expect(take({ path: 'out/token' })).rejects.toMatchObject({ code: 'ArtifactInvalid', message: expect.stringContaining('symbolic link') });
  await expect(take({ path: 'full' })).rejects.toMatchObject({ code: 'ArtifactInvalid' });
  expect(await readFile(join(directory, 'token'), 'utf8')).toBe('secret\n');
});
