import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { until } from '../eventually.ts';
import { Millrace } from './millrace.ts';

jest.setTimeout(600_000);

let millrace: Millrace;
beforeAll(async () => {
  millrace = await Millrace.start('slice');
});
afterAll(() => millrace.remove());

const hook = { name: 'Hook', type: 'webhook', position: [0, 0], parameters: { httpMethod: 'POST', path: 'greet', responseMode: 'lastNode' } };
const greet = {
  name: 'Greet', type: 'set', position: [200, 0],
  parameters: { mode: 'manual', assignments: { assignments: [{ id: 'a', name: 'greeting', type: 'string', value: '=Hello, {{ $json.body.name }}' }] } },
};
const spec = { nodes: [hook, greet], connections: [{ from: 'Hook', output: 0, to: 'Greet', input: 0, type: 'main' }] };

describe('a Workflow', () => {
  test('that is applied becomes Ready, answers its webhook, and every node is in the history', async () => {
    await millrace.deploy('greet', spec);
    expect(await millrace.webhook('greet', { name: 'Ada' })).toEqual({ status: 200, json: { greeting: 'Hello, Ada' } });
    const [execution] = await millrace.finished('greet', 1);
    const { json } = await millrace.api(`/executions/${execution?.id}`);
    expect(json).toMatchObject({ status: 'Succeeded', workflow: 'greet', nodes: [{ node: 'Hook' }, { node: 'Greet' }] });
  });

  test('runs by a WorkflowRun, whose status kubectl wait understands', async () => {
    await millrace.deploy('on-demand', { ...spec, nodes: [{ ...hook, parameters: { ...hook.parameters, path: 'on-demand' } }, greet] });
    await millrace.cluster.apply({
      apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name: 'once', namespace: millrace.namespace },
      spec: { workflowRef: { name: 'on-demand' }, items: [{ json: { body: { name: 'Bob' } } }] },
    });
    await millrace.kubectl('wait', '--for=condition=Complete', 'workflowruns.millrace.dev/once', '--timeout=60s');
    const run = JSON.parse(await millrace.kubectl('get', 'workflowruns.millrace.dev', 'once', '--output', 'json')) as { status: object };
    expect(run.status).toMatchObject({ phase: 'Succeeded', nodes: { succeeded: 2, failed: 0 } });
  });

  test('that cannot work is refused when it is active, and taken as a draft', async () => {
    const broken = (name: string, active: boolean) => ({
      apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: millrace.namespace },
      spec: { ...spec, active, connections: [{ from: 'Hook', output: 0, to: 'Nowhere', input: 0, type: 'main' }] },
    });
    await expect(millrace.cluster.apply(broken('broken', true))).rejects.toThrow(/Nowhere.*ConnectionDangling/);
    await millrace.cluster.apply(broken('draft', false));
    await millrace.kubectl('wait', '--for=condition=Ready', 'workflows.millrace.dev/draft', '--timeout=60s');
  });
});

test('a node uses a Secret of its namespace once that is granted, and nothing shows what it holds', async () => {
  const { namespace, system, cluster } = millrace;
  const secret = 's3cret-of-the-shop';
  await cluster.apply({
    apiVersion: 'v1', kind: 'Secret', metadata: { name: 'shop-key', namespace, labels: { 'millrace.dev/credential-type': 'httpHeaderAuth' } }, stringData: { name: 'X-Key', value: secret },
  });
  const echo = { ...greet, parameters: { assignments: { assignments: [{ id: 'a', name: 'length', type: 'number', value: "={{ $json.headers['x-key'].length }}" }] } } };
  await millrace.deploy('echo', { ...spec, nodes: [{ ...hook, parameters: { ...hook.parameters, path: 'echo' } }, echo] });
  const send = {
    name: 'Greet', type: 'httpRequest', position: [200, 0], credentials: { httpHeaderAuth: { name: 'Shop key' } },
    parameters: { method: 'POST', url: `${await cluster.serviceUrl(system, 'millrace-api')}/webhook/${namespace}/echo`, authentication: 'genericCredentialType', genericAuthType: 'httpHeaderAuth' },
  };
  await millrace.deploy('send', { ...spec, settings: { save: { success: 'All', failure: 'All' } }, nodes: [{ ...hook, parameters: { ...hook.parameters, path: 'send' } }, send] });

  await millrace.webhook('send');
  const [refused] = await millrace.finished('send', 1);
  expect((await millrace.api(`/executions/${refused?.id}`)).json).toMatchObject({ status: 'Failed', error: { code: 'CredentialNotGranted', node: 'Greet' } });

  await cluster.apply({
    apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'node-credentials', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'millrace-node-credentials' }, subjects: [{ kind: 'ServiceAccount', name: 'millrace-runner', namespace: system }],
  });
  const answer = await until(async () => {
    const { status, json } = await millrace.webhook('send');
    return status === 200 ? json : undefined;
  }, { withinMs: 30_000, everyMs: 1000 });
  expect(answer).toEqual({ length: secret.length });
  const [granted] = await millrace.finished('send', 2);
  expect(JSON.stringify((await millrace.api(`/executions/${granted?.id}`)).json)).not.toContain(secret);
  expect(await cluster.kubectl('logs', '--namespace', system, '--selector', 'app.kubernetes.io/component=runner', '--tail=-1')).not.toContain(secret);
});

test('the API tells nothing to those who show no token', async () => {
  const response = await fetch(`${await millrace.cluster.serviceUrl(millrace.system, 'millrace-api')}/api/v1/namespaces/slice/executions`);
  expect(response.status).toBe(401);
});
