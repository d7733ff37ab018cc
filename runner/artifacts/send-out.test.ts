import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { ApiClient } from './api-client.ts';
import type { Outgoing } from './plan.ts';
import { sendOut } from './send-out.ts';

const run = promisify(execFile);

let directory: string;
let root: string;
let server: Server;
/** Whole requests, and how many of the first ones are turned away. */
let got: { line: string; body: Buffer }[];
let refuse: { times: number; status: number };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-artifacts-'));
  root = join(directory, 'volume');
  await mkdir(join(root, 'sub'), { recursive: true });
  await writeFile(join(directory, 'token'), 'secret');
  await writeFile(join(root, 'a.csv'), 'a,b\n');
  await writeFile(join(root, 'sub/b.txt'), 'inside');
  await writeFile(join(root, 'empty'), '');
  got = [];
  refuse = { times: 0, status: 503 };
  server = createServer((request, response) => {
    void buffer(request).then((body) => {
      if (refuse.times > 0) {
        refuse.times -= 1;
        response.writeHead(refuse.status).end();
        return;
      }
      got.push({ line: `${request.method} ${request.url}`, body });
      response.end();
    }).catch(() => undefined);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
  await rm(directory, { recursive: true });
});

const send = (out: (Partial<Outgoing> & { path: string })[], patienceMs = 10_000) => sendOut(
  { out: out.map((one) => ({ root, at: `/out/${one.path}`, pack: false, ...one })), maxBytes: 1000 },
  new ApiClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, tokenFile: join(directory, 'token'), patienceMs }, () => undefined),
);
const said = () => got.map(({ line, body }) => [line, (JSON.parse(body.toString()) as { code: string }).code]);

test('files and directories are given, again when the api was away', async () => {
  refuse.times = 2;
  await symlink('a.csv', join(root, 'latest'));
  await send([{ path: 'a.csv' }, { path: 'empty' }, { path: 'latest' }, { path: '', pack: true }]);
  expect(got.map(({ line }) => line)).toEqual(['PUT /outputs/0', 'PUT /outputs/1', 'PUT /outputs/2', 'PUT /outputs/3']);
  expect(got.slice(0, 3).map(({ body }) => body.toString())).toEqual(['a,b\n', '', 'a,b\n']);
  await writeFile(join(directory, 'all.tgz'), got[3]?.body ?? '');
  expect((await run('tar', ['-xzOf', join(directory, 'all.tgz'), './sub/b.txt'])).stdout).toBe('inside');
});

test('why there is no file is said, and the others come all the same', async () => {
  await symlink(join(directory, 'token'), join(root, 'token'));
  await symlink(directory, join(root, 'up'));
  await writeFile(join(root, 'large'), Buffer.alloc(1001));
  await run('mkfifo', [join(root, 'pipe')]);
  await send([{ path: 'missing' }, { path: 'a.csv/x' }, { path: 'sub' }, { path: 'a.csv', pack: true }, { path: 'token' }, { path: 'up/token' }, { path: 'large' }, { path: 'pipe' }]);
  expect(said()).toEqual([
    ['POST /outputs/0', 'ArtifactMissing'], ['POST /outputs/1', 'ArtifactMissing'], ['POST /outputs/2', 'ArtifactInvalid'], ['POST /outputs/3', 'ArtifactInvalid'],
    ['POST /outputs/4', 'ArtifactInvalid'], ['POST /outputs/5', 'ArtifactInvalid'], ['POST /outputs/6', 'ArtifactTooLarge'], ['POST /outputs/7', 'ArtifactInvalid'],
  ]);
});

test('an archive that grows over the limit is given up', async () => {
  await run('sh', ['-c', 'head -c 200000 /dev/urandom > "$0"', join(root, 'sub/random')]);
  await send([{ path: 'sub', pack: true }]);
  expect(said()).toEqual([['POST /outputs/0', 'ArtifactTooLarge']]);
});

test('an api that stays away, or refuses, is not told', async () => {
  refuse = { times: 1000, status: 503 };
  await expect(send([{ path: 'a.csv' }], 300)).rejects.toMatchObject({ code: 'ArtifactNotTransferred' });
  refuse = { times: 1000, status: 403 };
  await expect(send([{ path: 'a.csv' }])).rejects.toMatchObject({ code: 'ArtifactNotTransferred' });
  expect(refuse.times).toBe(999);
});
