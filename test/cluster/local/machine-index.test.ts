import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { claimIndex } from './machine-index.ts';

let parent = '';

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'machine-index-'));
});
afterEach(async () => {
  await rm(parent, { recursive: true });
});

test('machines get different indexes, also when they ask at once, and keep theirs', async () => {
  const dirs = ['a', 'b', 'c'].map((name) => join(parent, name));
  const first = await Promise.all(dirs.map((dir) => claimIndex(dir)));
  expect(first.toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  expect(await Promise.all(dirs.map((dir) => claimIndex(dir)))).toEqual(first);
});

test('the index of a removed machine is given again', async () => {
  await claimIndex(join(parent, 'a'));
  await claimIndex(join(parent, 'b'));
  await rm(join(parent, 'a'), { recursive: true });
  expect(await claimIndex(join(parent, 'c'))).toBe(0);
});
