import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { moduleKey } from './build.ts';
import { NODE_BINARIES, TOOL_MODULES } from './versions.ts';

const etcd = { name: 'etcd', version: '3.6.16', ldflags: '-s', binaries: { etcd: '.' } };

test('the cache folder names module and version', () => {
  expect(moduleKey(etcd, ['module a'])).toMatch(/^etcd-3\.6\.16-[0-9a-f]{12}$/);
});

test.each([
  { name: 'another go.mod', module: etcd, sources: ['module b', 'sum'] },
  { name: 'another go.sum', module: etcd, sources: ['module a', 'sum2'] },
  { name: 'other linker flags', module: { ...etcd, ldflags: '-s -w' }, sources: ['module a', 'sum'] },
  { name: 'text moved from one file to the next', module: etcd, sources: ['module as', 'um'] },
])('$name makes another key', ({ module, sources }) => {
  expect(moduleKey(module, sources)).not.toBe(moduleKey(etcd, ['module a', 'sum']));
});

test('some module builds every binary that a node needs', () => {
  const built = TOOL_MODULES.flatMap((module) => Object.keys(module.binaries));
  expect(built).toEqual(expect.arrayContaining([...NODE_BINARIES]));
});

test.each(TOOL_MODULES.filter(({ name }) => name !== 'pause').map(({ name, version }) => ({ name, version })))('tools/$name/go.mod requires version $version', async ({ name, version }) => {
  const goMod = await readFile(join(import.meta.dirname, 'tools', name, 'go.mod'), 'utf8');
  const main = { etcd: 'go.etcd.io/etcd/server/v3', kubernetes: 'k8s.io/kubernetes', helm: 'helm.sh/helm/v4', coredns: 'github.com/coredns/coredns', kind: 'sigs.k8s.io/kind', kwok: 'sigs.k8s.io/kwok', pause: '' }[name];
  expect(goMod.split(/[\n\t]/).map((line) => line.replace(/^require | \/\/ indirect$/g, ''))).toContain(`${main} v${version}`);
});
