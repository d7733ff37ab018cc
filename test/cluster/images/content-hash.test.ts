import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { contentHash } from './content-hash.ts';

let dir = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'content-hash-'));
  await mkdir(join(dir, 'below'));
  await writeFile(join(dir, 'a'), 'one');
  await writeFile(join(dir, 'below', 'b'), 'two');
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

test.each([
  { name: 'a changed file', change: (path: string) => writeFile(join(path, 'below', 'b'), 'three') },
  { name: 'a new file', change: (path: string) => writeFile(join(path, 'c'), '') },
  { name: 'a file that became executable', change: (path: string) => chmod(join(path, 'a'), 0o755) },
])('$name changes the hash', async ({ change }) => {
  const before = await contentHash(dir);
  await change(dir);
  expect(await contentHash(dir)).not.toBe(before);
});

test('times do not change the hash, the salt does', async () => {
  const before = await contentHash(dir, 'base');
  await utimes(join(dir, 'a'), 1, 1);
  expect(await contentHash(dir, 'base')).toBe(before);
  expect(await contentHash(dir, 'other base')).not.toBe(before);
});
