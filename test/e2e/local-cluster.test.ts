import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { run } from '../cluster/command.ts';
import { productImage } from '../cluster/images/product-image.ts';
import { createNamespace } from '../cluster/install.ts';
import { cgroupExists } from '../cluster/local/cgroups.ts';
import { processesOfPod } from '../cluster/local/process-table.ts';
import { LocalCluster } from '../cluster/local-cluster.ts';
import { until } from '../eventually.ts';

const NAMESPACE = 'probe';

/** Counts its starts in a file on its volume, and tells the count, its user and what a name resolves to. */
const SCRIPT = `
import { appendFileSync, readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:http';
appendFileSync('/data/starts', 'x');
const starts: number = readFileSync('/data/starts').length;
createServer(async (request, response) => {
  const { address } = await lookup('web.${NAMESPACE}.svc.cluster.local');
  response.end(JSON.stringify({ starts, user: process.getuid?.(), address }));
}).listen(8080);
`;

function manifests(image: string): object[] {
  const metadata = { name: 'web', namespace: NAMESPACE, labels: { app: 'web' } };
  const container = {
    name: 'web',
    image,
    args: ['/code/main.ts'],
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
    volumeMounts: [
      { name: 'code', mountPath: '/code' },
      { name: 'data', mountPath: '/data' },
    ],
  };
  const spec = {
    securityContext: { runAsNonRoot: true, runAsUser: 10001, fsGroup: 10001, seccompProfile: { type: 'RuntimeDefault' } },
    terminationGracePeriodSeconds: 0,
    containers: [container],
    volumes: [
      { name: 'code', configMap: { name: 'web' } },
      { name: 'data', persistentVolumeClaim: { claimName: 'web' } },
    ],
  };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'main.ts': SCRIPT } },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] } },
    { apiVersion: 'v1', kind: 'Pod', metadata, spec },
  ];
}

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.open('probe');
  await cluster.up();
  const image = await productImage(join(import.meta.dirname, '..', '..'));
  await cluster.load(image);
  await createNamespace(cluster, NAMESPACE);
  await cluster.apply(...manifests(image.name));
}, 600_000);

afterAll(() => cluster.down(), 120_000);

/** What the pod says of itself, asked through its Service from the host; undefined while it does not answer. */
async function ask(): Promise<{ starts: number; user: number; address: string } | undefined> {
  const url = await cluster.serviceUrl(NAMESPACE, 'web');
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  return response?.ok === true ? ((await response.json()) as { starts: number; user: number; address: string }) : undefined;
}

test('a restricted pod runs TypeScript, finds its Service by name, and keeps its volume over a power cut', async () => {
  const address = new URL(await cluster.serviceUrl(NAMESPACE, 'web')).hostname;
  expect(await until(ask)).toEqual({ starts: 1, user: 10_001, address });
  await cluster.reboot();
  const after = await until(ask);
  expect(after).toMatchObject({ user: 10_001, address });
  // More than one when the kubelet thinks better of the first sandbox it made after the power cut.
  expect(after.starts).toBeGreaterThan(1);
}, 300_000);

test('the host sees the processes of a pod and can kill them', async () => {
  const uid = await cluster.kubectl('-n', NAMESPACE, 'get', 'pod', 'web', '-o', 'jsonpath={.metadata.uid}');
  const processes = await processesOfPod(uid);
  const node = processes.find(({ argv }) => argv.includes('/code/main.ts'));
  expect(node).toBeDefined();
  const before = await until(ask);
  process.kill(node?.pid ?? NaN, 'SIGKILL');
  const after = await until(async () => {
    const answer = await ask();
    return answer !== undefined && answer.starts > before.starts ? answer : undefined;
  });
  expect(after.user).toBe(10_001);
}, 120_000);

test('a pod that asks for more than the restricted profile allows is refused', async () => {
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'root', namespace: NAMESPACE }, spec: { containers: [{ name: 'root', image: 'any' }] } };
  await expect(cluster.apply(pod)).rejects.toThrow('violates PodSecurity');
});

test('a removed cluster leaves nothing on the host', async () => {
  const { dir, network } = cluster.machine.spec;
  await cluster.down();
  expect(existsSync(dir)).toBe(false);
  expect(await cgroupExists(network.link)).toBe(false);
  expect(await run('ip', ['-brief', 'link'])).not.toContain(`${network.link}@`);
  expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(dir);
}, 120_000);
