import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { run } from '../cluster/command.ts';
import { CurrentCluster } from '../cluster/current-cluster.ts';
import { RELEASE, createNamespace, installMillrace } from '../cluster/install.ts';
import { LocalCluster } from '../cluster/local-cluster.ts';
import { until } from '../eventually.ts';
import { Millrace } from './millrace.ts';

jest.setTimeout(900_000);

const root = join(import.meta.dirname, '../..');
/** What a release is made of. */
const PRODUCT = ['api', 'charts', 'crds', 'operator', 'runner', 'service', 'store', 'webhooks', 'package-lock.json'];

let cluster: LocalCluster;
let scratch: string;
let millrace: Millrace;
let effects: Awaited<ReturnType<Millrace['startEffects']>>;

/** The checkout of $MILLRACE_UPGRADE_FROM, or as it was before the last commit that changed what is installed. */
async function previousRelease(): Promise<string> {
  const git = (...args: string[]): Promise<string> => run('git', ['-C', root, ...args]);
  const [last = ''] = (await git('rev-list', '--max-count=1', 'HEAD', '--', ...PRODUCT)).split('\n');
  const previous = process.env['MILLRACE_UPGRADE_FROM'] ?? `${last}^`;
  const folder = join(scratch, 'previous');
  const archive = `${folder}.tar`;
  await git('archive', '--output', archive, previous);
  await mkdir(folder);
  await run('tar', ['--extract', '--file', archive, '--directory', folder]);
  return folder;
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'millrace-lifecycle-'));
  cluster = await LocalCluster.open('lifecycle');
  await cluster.up();
  const installation = await installMillrace(cluster, { root: await previousRelease() });
  millrace = await Millrace.inNamespace(cluster, installation, 'lifecycle');
  effects = await millrace.startEffects();
});
afterAll(async () => {
  await cluster.down();
  await rm(scratch, { recursive: true });
});

const wire = (from: string, to: string) => ({ from, output: 0, to, input: 0, type: 'main' });
const node = (name: string, type: string, x: number, parameters: object) => ({ name, type, position: [x, 0], parameters });
const hook = (path: string) => node('Hook', 'webhook', 0, { httpMethod: 'POST', path, responseMode: 'onReceived' });
const call = (name: string, x: number) => node(name, 'httpRequest', x, { method: 'POST', url: `${effects.url}/${name.toLowerCase()}` });

async function executionOf(workflow: string, status: string): Promise<string> {
  const execution = await until(async () => {
    const { json } = await millrace.api(`/executions?workflow=${workflow}`);
    return (json as { items: { id: string; status: string }[] }).items.find((item) => item.status === status);
  });
  return execution.id;
}

describe('a release', () => {
  test('is upgraded from the one before while work is running and waiting, and the work finishes', async () => {
    await millrace.deploy('running', { nodes: [hook('running'), call('Before', 200), call('After', 400)], connections: [wire('Hook', 'Before'), wire('Before', 'After')] });
    await millrace.deploy('waiting', {
      nodes: [hook('waiting'), node('Wait', 'wait', 200, { resume: 'timeInterval', amount: 90, unit: 'seconds' }), call('Waited', 400)],
      connections: [wire('Hook', 'Wait'), wire('Wait', 'Waited')],
    });
    await effects.hold('/after');
    expect([(await millrace.webhook('running')).status, (await millrace.webhook('waiting')).status]).toEqual([200, 200]);
    const ids = [await executionOf('running', 'Running'), await executionOf('waiting', 'Waiting')];
    await until(async () => (await effects.count('/after')) > 0);

    await installMillrace(cluster);
    await effects.release('/after');

    for (const id of ids) expect(await millrace.ended(id)).toMatchObject({ status: 'Succeeded' });
    expect([await effects.count('/before'), await effects.count('/waited')]).toEqual([1, 1]);
    expect((await millrace.webhook('running')).status).toBe(200);
    await millrace.finished('running', 2);
  });

  test('passes helm test', async () => {
    expect(await cluster.helm(['test', RELEASE, '--namespace', millrace.system, '--timeout', '4m'])).toMatch(/Phase:\s+Succeeded/);
  });

  test('leaves Workflows behind when it is removed, which can be changed and deleted with nobody there', async () => {
    await cluster.helm(['uninstall', RELEASE, '--namespace', millrace.system, '--wait', '--timeout', '4m']);
    expect(await millrace.kubectl('get', 'workflows.millrace.dev', '--output', 'jsonpath={.items[*].metadata.finalizers}')).toBe('');
    await millrace.kubectl('patch', 'workflows.millrace.dev/running', '--type=merge', '--patch', '{"spec":{"displayName":"Changed meanwhile"}}');
    await millrace.kubectl('delete', 'workflows.millrace.dev/waiting', '--timeout=60s');
    await until(async () => (await cluster.kubectl('get', 'jobs,pods', '--namespace', millrace.system, '--output', 'name')) === '', { withinMs: 180_000 });
  });

  test('that is installed again takes up what is there: Workflows, and the history in the database', async () => {
    millrace = await Millrace.inNamespace(cluster, await installMillrace(cluster), 'lifecycle');
    await millrace.kubectl('wait', '--for=condition=Ready', 'workflows.millrace.dev/running', '--timeout=60s');
    expect((await millrace.webhook('running')).status).toBe(200);
    expect(await millrace.finished('running', 3)).toHaveLength(3);
    await until(async () => (await millrace.webhook('waiting')).status === 404);
  });
});

describe('the chart', () => {
  const chart = join(root, 'charts', 'millrace');
  test.each([
    { name: 'with its defaults', values: {} },
    { name: 'for chosen namespaces', values: { operator: { namespaces: ['shop', 'office'] } } },
    { name: 'with a database of the user\'s own', values: { postgres: { bundled: false }, database: { existingSecret: 'db' } } },
    { name: 'from a mirror', values: { global: { imageRegistry: 'registry.example:5000', imagePullSecrets: [{ name: 'regcred' }] } } },
    { name: 'with everything optional off', values: { webhooks: { enabled: false }, networkPolicy: { enabled: false }, podDisruptionBudget: { enabled: false }, rbac: { aggregate: false }, uninstall: { releaseWorkflows: false } } },
    { name: 'with an ingress', values: { api: { ingress: { enabled: true, host: 'millrace.example.com', tlsSecret: 'tls' } } } },
  ])('is clean by helm lint --strict $name', async ({ values }) => {
    expect(await cluster.helm(['lint', '--strict', chart, '--values', '-'], JSON.stringify(values))).toContain('0 chart(s) failed');
  });

  test('refuses values that are misspelt, and says which', async () => {
    await expect(cluster.helm(['template', RELEASE, chart, '--set', 'operator.replica=3'])).rejects.toThrow(/replica/);
  });
});

describe('--cluster current', () => {
  test('reaches the API, leaves the namespaces of others alone, and removes what was installed with its namespaces', async () => {
    const current = await CurrentCluster.open({ dir: join(scratch, 'current'), env: { KUBECONFIG: cluster.kubeconfig, MILLRACE_REGISTRY: 'registry.example.com/team' } });
    await current.up();
    const url = await current.serviceUrl(millrace.system, `${RELEASE}-api`);
    expect((await fetch(`${url}/api/v1/namespaces/lifecycle/executions`)).status).toBe(401);
    await expect(createNamespace(current, 'kube-public')).rejects.toThrow('without the label');
    await current.down();
    expect((await cluster.kubectl('get', 'namespaces', '--output', 'jsonpath={.items[*].metadata.name}')).split(' ')).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system']);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });
});
