import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { until } from '../eventually.ts';
import { whyNoNamespaces } from './privileges.ts';
import { chain, code, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';

jest.setTimeout(120_000);

const exec = promisify(execFile);
const reason = whyNoNamespaces('--mount');
if (reason !== undefined) console.log(`Skipped, the disk of a runner cannot be filled here: ${reason}`);
const testAsRoot = reason === undefined ? test : test.skip;

/** Mounts 64 KiB over the folder in its first argument, for its own mount namespace alone, and becomes the rest of them. */
const SMALL_DISK = ['unshare', '--mount', '--', 'sh', '-ec', 'mount -t tmpfs -o size=64k tmpfs "$0"; exec "$@"'];

let world: RunnerFixture;
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'millrace-disk-'));
  world = await startRunnerFixture();
}, 120_000);
afterAll(async () => {
  await world.stop();
  await rm(scratch, { recursive: true, force: true });
});

testAsRoot('a runner whose disk is full goes on: everything ends as it should, and executors are replaced', async () => {
  const env = { MILLRACE_SCRATCH_DIR: scratch, TMPDIR: scratch, MILLRACE_EXECUTORS: '1', MILLRACE_STALL_MS: '1000' };
  const runner = await world.runner(env, { enter: [...SMALL_DISK, scratch], address: '127.0.0.1' });
  const inside = async (script: string): Promise<string> =>
    (await exec('nsenter', [`--mount=/proc/${runner.pid}/ns/mnt`, '--', 'sh', '-c', script, scratch])).stdout.trim();
  const effect = { name: 'Effect', type: 'httpRequest', parameters: { method: 'POST', url: `${world.effects.url}/disk` } };
  const good = await world.deploy(chain('good', [code('Before', 'return [{ json: { n: 1 } }];'), effect, code('After', 'return items;')]));
  const file = await world.deploy(chain('file', [code('Rows', 'return [{ json: { n: 1 } }];'), { name: 'File', type: 'convertToFile', parameters: { operation: 'csv' } }]));
  const bad = await world.deploy(chain('bad', [code('Endless', 'for (;;) {}')]));
  expect(await inside('head -c 1M /dev/zero > "$0/fill"; echo x > "$0/more" || echo full')).toBe('full');

  const submitAll = async (): Promise<string[]> => Promise.all([good, good, file, good].map((workflow) => world.submit(workflow)));
  const before = await submitAll();
  expect((await Promise.all(before.map(world.ended))).map(({ status }) => status)).toEqual(before.map(() => 'Succeeded'));
  // The first one is known by its node, which was noted in a file that had been made in time; for the note of the next executor there is no room.
  expect(await world.ended(await world.submit(bad))).toMatchObject({ status: 'Failed', error: { code: 'ExecutionStalled', node: 'Endless' } });
  expect(await world.ended(await world.submit(bad))).toMatchObject({ status: 'Failed', error: { code: 'ExecutionStalled' } });
  const after = await submitAll();
  const ends = await Promise.all(after.map(world.ended));
  expect(ends.map(({ status, attempts, crashes }) => ({ status, attempts, crashes }))).toEqual(after.map(() => ({ status: 'Succeeded', attempts: 1, crashes: 0 })));
  await until(() => world.effects.requests('/disk').length === 6);
  expect(await inside('ls "$0"')).toBe('fill\nmore');
});
