import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { completed, missingEntries, platformOf, readLockfile } from './lockfile.ts';

test.each([
  { name: '@swc/core-darwin-arm64', platform: { os: ['darwin'], cpu: ['arm64'] } },
  { name: '@oxlint/binding-linux-x64-musl', platform: { os: ['linux'], cpu: ['x64'] } },
  { name: '@swc/core-linux-arm-gnueabihf', platform: { os: ['linux'], cpu: ['arm'] } },
  { name: 'fsevents', platform: undefined },
])('the platform of $name is told from its name', ({ name, platform }) => {
  expect(platformOf(name)).toEqual(platform);
});

test('an optional package that the file lacks gets an entry without integrity, others stay as they are', () => {
  const tool = { version: '1.0.0', dev: true, optionalDependencies: { 'tool-linux-x64': '1.0.0', 'tool-win32-x64': '1.0.0' } };
  const lockfile = { name: 'a', packages: { '': {}, 'node_modules/tool': tool, 'node_modules/tool-linux-x64': { version: '1.0.0' } } };
  expect(completed(lockfile)).toEqual({
    name: 'a',
    packages: {
      ...lockfile.packages,
      'node_modules/tool-win32-x64': { version: '1.0.0', cpu: ['x64'], dev: true, optional: true, os: ['win32'] },
    },
  });
});

test('package-lock.json is complete: otherwise run node test/lockfile.ts', async () => {
  expect(missingEntries(await readLockfile(join(import.meta.dirname, '..', 'package-lock.json')))).toEqual({});
});
