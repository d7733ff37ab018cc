import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { claimIndex, lowestFree } from './machine-index.ts';

let parent = '';

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'machine-index-'));
});
afterEach(async () => {
  await rm(parent, { recursive: true });
});

test.each([
  { taken: [], links: ['lo'], want: 0 },
  { taken: [0, 2], links: ['lo'], want: 1 },
  { taken: [0], links: ['lo', 'millrace1'], want: 2 },
])('with $taken taken and links $links the next machine gets $want', ({ taken, links, want }) => {
  expect(lowestFree(taken, links)).toBe(want);
});

test('machines get different indexes, also when they ask at once, and keep theirs', async () => {
  const dirs = ['a', 'b', 'c'].map((name) => join(parent, name));
  const first = await Promise.all(dirs.map((dir) => claimIndex(dir)));
  expect(new Set(first).size).toBe(3);
  expect(await Promise.all(dirs.map((dir) => claimIndex(dir)))).toEqual(first);
});

test('the index of a removed machine is given again', async () => {
  const removed = await claimIndex(join(parent, 'a'));
  await claimIndex(join(parent, 'b'));
  await rm(join(parent, 'a'), { recursive: true });
  expect(await claimIndex(join(parent, 'c'))).toBe(removed);
});
