import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { join } from 'node:path';
import { MemoryStore } from '../../api/testdata/memory-store.ts';
import { startServer } from '../../api/server.ts';
import type { ApiServer } from '../../api/server.ts';
import type { Cluster } from '../../operator/kube/cluster.ts';
import { connect } from '../../operator/kube/connection.ts';
import { silentLog } from '../../operator/kube/log.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../eventually.ts';

let kubernetes: ControlPlane;
let apiCluster: Cluster;
let api: ApiServer;
let tokens: { editor: string; reader: string; outsider: string };

const rbac = 'rbac.authorization.k8s.io';
const apiUser = { kind: 'User', apiGroup: rbac, name: 'millrace-api' };

beforeAll(async () => {
  kubernetes = await startControlPlane();
  await kubernetes.kubectl('apply', '--server-side', '-f', join(import.meta.dirname, '../../crds/generated'));
  await kubernetes.kubectl('wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all');
  for (const namespace of ['shop', 'bank']) await kubernetes.kubectl('create', 'namespace', namespace);
  const token = async (namespace: string, account: string): Promise<string> => {
    await kubernetes.kubectl('-n', namespace, 'create', 'serviceaccount', account);
    return (await kubernetes.kubectl('-n', namespace, 'create', 'token', account)).trim();
  };
  tokens = { editor: await token('shop', 'editor'), reader: await token('shop', 'reader'), outsider: await token('bank', 'outsider') };
  const role = (name: string, namespace: string, rules: object[]) => ({ apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, namespace }, rules });
  const binding = (name: string, subject: object) => ({ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata: { name, namespace: 'shop' }, roleRef: { apiGroup: rbac, kind: 'Role', name }, subjects: [subject] });
  await kubernetes.apply(
    role('editor', 'shop', [{ apiGroups: ['millrace.dev'], resources: ['workflows', 'workflowruns'], verbs: ['get', 'create', 'patch', 'delete'] }]),
    binding('editor', { kind: 'ServiceAccount', name: 'editor', namespace: 'shop' }),
    // As the chart does with api.impersonate.serviceAccountNamespaces: [shop].
    role('api-impersonate', 'shop', [{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] }]),
    binding('api-impersonate', apiUser),
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: 'api-impersonate' }, rules: [{ apiGroups: ['authentication.k8s.io'], resources: ['uids'], verbs: ['impersonate'] }] },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name: 'api-impersonate' }, roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'api-impersonate' }, subjects: [apiUser] },
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name: 'api-reviews' }, roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'system:auth-delegator' }, subjects: [apiUser] },
  );
  apiCluster = await connect({ kubeconfig: await kubernetes.kubeconfigFor('millrace-api') });
  api = await startServer({
    store: new MemoryStore().store, cluster: apiCluster, log: silentLog, version: '0.0.0', clock: { now: () => Date.now(), monotonic: () => performance.now() },
    config: {
      baseUrl: undefined, port: 0, healthPort: 0, audiences: [], proxyHops: 0, drainMs: 1000,
      limits: { bodyBytes: 100_000, fileBytes: 100_000, bodyBytesInFlight: 1_000_000, webhooksInFlight: 10, responseMs: 1000, requestMs: 5000, userRequestsPerSecond: 1000 },
    },
  });
}, 240_000);

afterAll(async () => {
  await api.stop();
  await apiCluster.close();
  await kubernetes.stop();
});

async function call(who: keyof typeof tokens, method: string, path: string, body?: unknown) {
  const response = await fetch(`http://127.0.0.1:${api.port}/api/v1${path}`, {
    method, headers: { authorization: `Bearer ${tokens[who]}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as { object?: object; warnings?: string[]; error?: { code: string; message: string } } };
}

const spec = { nodes: [{ name: 'Start', type: 'manualTrigger' }] };
const orders = '/namespaces/shop/workflows/orders';

test('a workflow is applied, activated and deleted in the name of the caller', async () => {
  expect(await call('editor', 'PUT', `${orders}?fieldManager=ada`, { metadata: { labels: { team: 'a' } }, spec })).toMatchObject({
    status: 200, body: { object: { metadata: { name: 'orders', namespace: 'shop', labels: { team: 'a' }, managedFields: [{ manager: 'ada', operation: 'Apply' }] } }, warnings: [] },
  });
  expect(await call('editor', 'POST', `${orders}/activate`)).toMatchObject({ status: 200, body: { object: { spec: { active: true } } } });
  expect(await call('editor', 'POST', `${orders}/deactivate?dryRun=true`)).toMatchObject({ status: 200, body: { object: { spec: { active: false } } } });
  expect(JSON.parse(await kubernetes.kubectl('-n', 'shop', 'get', 'mwf', 'orders', '-o', 'json'))).toMatchObject({ spec: { active: true } });
  expect(await call('editor', 'POST', '/namespaces/shop/workflowruns', { spec: { workflowRef: { name: 'orders' } } })).toMatchObject({
    status: 201, body: { object: { kind: 'WorkflowRun', metadata: { name: expect.stringMatching(/^orders-\w+$/) } } },
  });
  expect(await call('editor', 'DELETE', orders)).toMatchObject({ status: 200, body: { warnings: [] } });
  expect(await call('editor', 'DELETE', orders)).toMatchObject({ status: 404, body: { error: { code: 'ObjectNotFound' } } });
});

test('who may not is told so by the API server, by name', async () => {
  for (const [method, path, body] of [['PUT', orders, { spec }], ['POST', `${orders}/activate`, undefined], ['DELETE', orders, undefined], ['POST', '/namespaces/shop/workflowruns', { spec: { workflowRef: { name: 'orders' } } }]] as const) {
    const answer = await call('reader', method, path, body);
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'Forbidden', message: expect.stringContaining('User "system:serviceaccount:shop:reader" cannot') } } });
  }
});

test('a user that the api may not act for is refused, with the reason', async () => {
  expect(await call('outsider', 'PUT', orders, { spec })).toMatchObject({ status: 403, body: { error: { code: 'Forbidden', message: expect.stringContaining('cannot impersonate') } } });
});

test('what the API server does not take is refused in its words', async () => {
  const conflicting = { spec: { ...spec, displayName: 'theirs' } };
  expect((await call('editor', 'PUT', `${orders}?fieldManager=first`, { spec: { ...spec, displayName: 'ours' } })).status).toBe(200);
  expect(await call('editor', 'PUT', `${orders}?fieldManager=second`, conflicting)).toMatchObject({ status: 409, body: { error: { code: 'ObjectConflict', message: expect.stringContaining('displayName') } } });
  expect((await call('editor', 'PUT', `${orders}?fieldManager=second&force=true`, conflicting)).status).toBe(200);
  expect(await call('editor', 'PUT', orders, { spec: { nodes: 7 } })).toMatchObject({ status: 400, body: { error: { code: 'InvalidRequest', details: [{ at: 'body.spec.nodes' }] } } });
  expect(await call('editor', 'PUT', '/namespaces/shop/workflows/empty', { spec: { active: true } })).toMatchObject({ status: 422, body: { error: { code: 'ObjectRefused', message: expect.stringContaining('spec.nodes') } } });
  expect(await call('editor', 'PUT', orders, { metadata: { name: 'other' }, spec })).toMatchObject({ status: 400, body: { error: { code: 'InvalidRequest' } } });
});

test('warnings of admission reach the caller', async () => {
  await kubernetes.apply(
    { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name: 'warn' }, spec: {
      matchConstraints: { resourceRules: [{ apiGroups: ['millrace.dev'], apiVersions: ['*'], operations: ['*'], resources: ['workflows'] }] },
      validations: [{ expression: "object.metadata.name != 'warned'", message: 'a "quoted" warning, with a comma' }],
    } },
    { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: 'warn' }, spec: { policyName: 'warn', validationActions: ['Warn'] } },
  );
  const warned = async () => (await call('editor', 'PUT', '/namespaces/shop/workflows/warned', { spec })).body.warnings;
  await eventually(async () => expect(await warned()).toEqual([expect.stringContaining('a "quoted" warning, with a comma')]));
});
