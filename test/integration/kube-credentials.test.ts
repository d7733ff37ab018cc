import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Informer, client, connect, silentLog, systemClock } from '../../operator/kube/index.ts';
import { ConfigMap, ServiceAccount } from '../../operator/kube/builtin.ts';
import { inCluster } from '../../operator/kube/in-cluster.ts';
import { kubeconfig } from '../../operator/kube/kubeconfig.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../eventually.ts';
import type { Clock, Cluster } from '../../operator/kube/index.ts';
import type { Credentials } from '../../operator/kube/credentials.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';

jest.setTimeout(180_000);

let plane: ControlPlane;
let admin: Cluster;
let upstream: Credentials;
let dir: string;
/** Time that is skipped, so that nobody waits for the minute after which credentials are read again. */
let skippedMs = 0;
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skippedMs };

beforeAll(async () => {
  plane = await startControlPlane();
  admin = await connect({ kubeconfig: plane.kubeconfig });
  upstream = await kubeconfig({ files: [plane.kubeconfig], now: () => Date.now() })({ signal: new AbortController().signal, rejected: false });
  dir = await mkdtemp(join(tmpdir(), 'credentials-'));
}, 600_000);

afterAll(async () => {
  await admin.close();
  await plane.stop();
  await rm(dir, { recursive: true });
});

async function whoAmI(cluster: Cluster): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const review = await cluster.request<{ status: { userInfo: { username: string } } }>('/apis/authentication.k8s.io/v1/selfsubjectreviews', { method: 'POST', body });
  return review.status.userInfo.username;
}

test('a client certificate that is replaced is used for the next requests, and a watch goes on', async () => {
  const file = join(dir, 'kubeconfig');
  await copyFile(await plane.kubeconfigFor('ann', ['system:masters']), file);
  const cluster = await connect({ kubeconfig: file, clock });
  const stop = new AbortController();
  const informer = new Informer(ConfigMap, { namespace: 'default' }, { cluster, clock, log: silentLog });
  const running = informer.run(stop.signal);
  await informer.cache.whenSynced();
  expect(await whoAmI(cluster)).toBe('ann');
  await copyFile(await plane.kubeconfigFor('bob', ['system:masters']), file);
  skippedMs += 61_000;
  expect(await whoAmI(cluster)).toBe('bob');
  await client(admin, ConfigMap, { fieldManager: 'test' }).create({ metadata: { name: 'after', namespace: 'default' } });
  await eventually(() => expect(informer.cache.get('default/after')).toBeDefined());
  stop.abort();
  await running;
  await cluster.close();
});

test('a service account token that is refused is read again at once', async () => {
  const accounts = client(admin, ServiceAccount, { fieldManager: 'test' });
  const token = async (): Promise<string> => {
    await accounts.delete('default/robot');
    await accounts.create({ metadata: { name: 'robot', namespace: 'default' } });
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } };
    return (await admin.request<{ status: { token: string } }>('/api/v1/namespaces/default/serviceaccounts/robot/token', { method: 'POST', body })).status.token;
  };
  const { hostname, port } = new URL(plane.server);
  await Promise.all([writeFile(join(dir, 'ca.crt'), upstream.tls.ca ?? ''), writeFile(join(dir, 'namespace'), 'default'), writeFile(join(dir, 'token'), await token())]);
  const cluster = await connect({ credentials: inCluster({ host: hostname, port, mount: dir }) });
  expect(await whoAmI(cluster)).toBe('system:serviceaccount:default:robot');
  // A new account of the same name: the old token is void.
  const next = await token();
  await eventually(async () => {
    const old = await cluster.request('/api').catch((err: unknown) => err);
    expect(old).toMatchObject({ status: 401 });
  });
  await writeFile(join(dir, 'token'), next);
  expect(await whoAmI(cluster)).toBe('system:serviceaccount:default:robot');
  await cluster.close();
});

test('a certificate of an authority that is not trusted is refused', async () => {
  const cluster = await connect({ credentials: async () => ({ ...upstream, tls: {} }) });
  await expect(cluster.request('/api')).rejects.toMatchObject({ reason: 'ApiServerUnreachable', message: expect.stringContaining('certificate') });
  await cluster.close();
});
