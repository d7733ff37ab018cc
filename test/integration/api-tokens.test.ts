import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { kubernetesAuth } from '../../api/auth/kubernetes-auth.ts';
import { MemoryStore } from '../../api/testdata/memory-store.ts';
import { startServer } from '../../api/server.ts';
import type { ApiServer } from '../../api/server.ts';
import type { Cluster } from '../../operator/kube/cluster.ts';
import { connect } from '../../operator/kube/connection.ts';
import { silentLog } from '../../operator/kube/log.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';

let kubernetes: ControlPlane;
let cluster: Cluster;
let apiCluster: Cluster;
let api: ApiServer;
const clock = { now: () => Date.now(), monotonic: () => performance.now() };

beforeAll(async () => {
  kubernetes = await startControlPlane();
  cluster = await connect({ kubeconfig: kubernetes.kubeconfig });
  await kubernetes.kubectl('create', 'namespace', 'shop');
  for (const account of ['reader', 'clerk', 'nobody']) await kubernetes.kubectl('-n', 'shop', 'create', 'serviceaccount', account);
  await kubernetes.apply(
    role('reader', ['get', 'list']), role('clerk', ['create', 'update']),
    // What the chart gives the api: enough to review, and nothing more.
    binding('api-reviews', 'system:auth-delegator', 'millrace-api'),
  );
  apiCluster = await connect({ kubeconfig: await kubernetes.kubeconfigFor('millrace-api') });
  api = await startServer({
    store: new MemoryStore().store, cluster: apiCluster, log: silentLog, version: '0.0.0', clock,
    config: {
      baseUrl: undefined, port: 0, healthPort: 0, audiences: [], proxyHops: 0, drainMs: 1000,
      limits: { bodyBytes: 10_000, fileBytes: 5_000_000, bodyBytesInFlight: 100_000_000, webhooksInFlight: 10, responseMs: 1000, requestMs: 5000, userRequestsPerSecond: 1000 },
    },
  });
}, 240_000);

afterAll(async () => {
  await api.stop();
  await Promise.all([cluster.close(), apiCluster.close()]);
  await kubernetes.stop();
});

function role(name: string, verbs: string[]): string {
  return JSON.stringify({
    apiVersion: 'v1', kind: 'List', items: [
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name, namespace: 'shop' }, rules: [{ apiGroups: ['millrace.dev'], resources: ['workflowruns'], verbs }] },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name, namespace: 'shop' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }, subjects: [{ kind: 'ServiceAccount', name, namespace: 'shop' }],
      },
    ],
  });
}

function binding(name: string, clusterRole: string, user: string): object {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
}

async function tokenOf(account: string, ...flags: string[]): Promise<string> {
  return (await kubernetes.kubectl('-n', 'shop', 'create', 'token', account, ...flags)).trim();
}

async function call(token: string, path: string, method = 'GET') {
  const response = await fetch(`http://127.0.0.1:${api.port}/api/v1${path}`, { method, headers: { authorization: `Bearer ${token}` } });
  const body = (await response.json()) as { error?: { code: string } };
  return [response.status, body.error?.code];
}

test('RBAC on workflowruns decides who may read and who may trigger', async () => {
  const [reader, clerk, nobody] = await Promise.all(['reader', 'clerk', 'nobody'].map((account) => tokenOf(account)));
  const list = '/namespaces/shop/executions';
  const trigger = '/namespaces/shop/workflows/orders/trigger';
  expect(await call(reader ?? '', list)).toEqual([200, undefined]);
  expect(await call(reader ?? '', trigger, 'POST')).toEqual([403, 'Forbidden']);
  expect(await call(clerk ?? '', list)).toEqual([403, 'Forbidden']);
  expect(await call(clerk ?? '', trigger, 'POST')).toEqual([202, undefined]);
  expect(await call(nobody ?? '', list)).toEqual([403, 'Forbidden']);
  expect(await call(reader ?? '', '/namespaces/default/executions')).toEqual([403, 'Forbidden']);
  expect(await call(reader ?? '', '/executions')).toEqual([403, 'Forbidden']);
});

test('tokens that are no tokens, are forged, are for somebody else or whose account is gone are refused', async () => {
  const good = await tokenOf('reader');
  const [head, payload] = good.split('.');
  expect(await call('garbage', '/namespaces/shop/executions')).toEqual([401, 'Unauthenticated']);
  expect(await call(`${head}.${payload}.AAAA`, '/namespaces/shop/executions')).toEqual([401, 'Unauthenticated']);
  expect(await call(await tokenOf('reader', '--audience=vault'), '/namespaces/shop/executions')).toEqual([401, 'Unauthenticated']);
  await kubernetes.kubectl('-n', 'shop', 'create', 'serviceaccount', 'leaver');
  const leaver = await tokenOf('leaver');
  await kubernetes.kubectl('-n', 'shop', 'delete', 'serviceaccount', 'leaver');
  expect(await call(leaver, '/namespaces/shop/executions')).toEqual([401, 'Unauthenticated']);
});

test('with an audience of its own, the api takes only tokens made for it', async () => {
  const auth = kubernetesAuth(cluster, { audiences: ['millrace'], now: clock.now });
  expect(await auth.authenticate(await tokenOf('reader', '--audience=millrace'))).toMatchObject({ username: 'system:serviceaccount:shop:reader' });
  await expect(auth.authenticate(await tokenOf('reader'))).rejects.toMatchObject({ code: 'Unauthenticated' });
});

test('an API server that is down makes the api unavailable, not open', async () => {
  const token = await tokenOf('reader', '--duration=11m');
  await kubernetes.killApiServer();
  expect(await call(token, '/namespaces/shop/executions')).toEqual([503, 'Unavailable']);
  await kubernetes.startApiServer();
  expect(await call(token, '/namespaces/shop/executions')).toEqual([200, undefined]);
}, 180_000);
