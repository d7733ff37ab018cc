import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CurrentCluster } from './current-cluster.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-current-'));
});
afterAll(() => rm(dir, { recursive: true }));

test('needs a kubeconfig that exists', async () => {
  await expect(CurrentCluster.open({ dir, env: { KUBECONFIG: join(dir, 'none') } })).rejects.toThrow('none does not exist. Set KUBECONFIG');
});

test('needs a registry, and says so before it touches the cluster', async () => {
  const kubeconfig = join(dir, 'kubeconfig');
  await writeFile(kubeconfig, '');
  const cluster = await CurrentCluster.open({ dir, env: { KUBECONFIG: kubeconfig } });
  await expect(cluster.up()).rejects.toThrow('set MILLRACE_REGISTRY');
});
