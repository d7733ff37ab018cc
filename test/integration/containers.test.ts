import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerSettings } from '../../operator/controllers/container/controller.ts';
import { podLabel } from '../../operator/controllers/container/pod.ts';
import type { Pod } from '../../operator/kube/builtin.ts';
import { artifactAudience } from '../../runner/artifacts/plan.ts';
import { freePort } from '../cluster/free-port.ts';
import type { RunningOperator, World } from './controllers-setup.ts';
import { eventually, HOME, isReady, startWorld, until } from './controllers-setup.ts';
import type { RoleProcess } from './role-process.ts';
import { startRole } from './role-process.ts';
import { startRunner, type RunnerProcess } from './runner-process.ts';
import { PodFiles } from './transfer-container.ts';

/** Real API server, operator, database, runner and api; the test stands in for the kubelet. */

jest.setTimeout(180_000);

const SETTINGS: ContainerSettings = { namespaces: [], serviceAccounts: [], maxActive: 2, perSecond: 100, keepSeconds: 0 };
const PODS = '/api/v1/namespaces/shop/pods';

let world: World;
let operator: RunningOperator;
let runner: RunnerProcess;
let api: RoleProcess;
let settings: ContainerSettings = SETTINGS;
const podFiles: PodFiles[] = [];

beforeAll(async () => {
  world = await startWorld();
  await world.plane.kubectl('create', 'serviceaccount', 'default', '--namespace', 'shop');
  // What the chart gives the api: enough to review tokens.
  await world.plane.kubectl('create', 'clusterrolebinding', 'api-reviews', '--clusterrole', 'system:auth-delegator', '--user', 'millrace-api');
  const port = await freePort();
  settings = { ...SETTINGS, artifacts: { url: `http://127.0.0.1:${port}`, audience: artifactAudience(HOME), image: 'millrace:test', volumeSize: '1Gi', maxBytes: 10_000, uploadSeconds: 120 } };
  operator = await world.startOperator(settings);
  [runner, api] = await Promise.all([
    startRunner(world.databaseUrl),
    startRole('api', { MILLRACE_DATABASE_URL: world.databaseUrl, KUBECONFIG: await world.plane.kubeconfigFor('millrace-api'), POD_NAMESPACE: HOME, MILLRACE_ARTIFACTS_PORT: String(port) }),
  ]);
}, 240_000);
afterAll(async () => {
  await Promise.all([runner.kill(), api.stop(), ...podFiles.map((files) => files.remove())]);
  await world.stop();
});

async function deploy(name: string, node: object = {}): Promise<void> {
  await world.plane.apply({
    apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: 'shop' },
    spec: {
      active: true,
      nodes: [{ name: 'Start', type: 'manualTrigger' }, { name: 'Pod', type: 'container', parameters: { image: 'busybox', args: ['echo', '={{ $json.word }}'] }, ...node }],
      connections: [{ from: 'Start', output: 0, to: 'Pod', input: 0, type: 'main' }],
    },
  });
  await eventually(world, ['mwf', name], isReady);
}

const run = (name: string, workflow: string, words: string[] = ['hello']) => world.plane.apply({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name, namespace: 'shop' }, spec: { workflowRef: { name: workflow }, items: words.map((word) => ({ json: { word } })) },
});
const ended = (name: string) => eventually(world, ['mrun', name], ({ status }) => status?.finishedAt !== undefined, 90_000);
const podsOf = async (workflow: string): Promise<Pod[]> =>
  (await world.cluster.request<{ items: Pod[] }>(PODS, { query: { labelSelector: `millrace.dev/workflow=${workflow}` } })).items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
const pods = (workflow: string, count: number) => until(async () => {
  const found = await podsOf(workflow);
  return found.length === count ? found : undefined;
}, 60_000);
const pod = async (workflow: string) => (await pods(workflow, 1))[0] as Pod;

/** What a kubelet would write. */
async function end({ metadata }: Pod, exitCode: number, more: { message?: string; reason?: string } = {}): Promise<void> {
  const terminated = { exitCode, ...(more.message !== undefined && { message: more.message }), finishedAt: new Date().toISOString() };
  const status = {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed', ...(more.reason !== undefined && { reason: more.reason }),
    containerStatuses: [{ name: 'main', image: 'busybox', imageID: '', ready: false, restartCount: 0, state: { terminated } }],
  };
  await world.cluster.request(`${PODS}/${metadata.name}/status`, { method: 'PATCH', contentType: 'application/merge-patch+json', body: { status } });
}

const outputs = async (id: string | undefined) => (await world.store.executions.nodeRuns(id ?? '', { node: 'Pod' })).flatMap(({ outputs: [first] }) => (first ?? []).map(({ json }) => json));

test('a pod runs for each item, owned by the run; its result goes on, and nothing of it stays', async () => {
  await deploy('report');
  await run('report-1', 'report', ['one', 'two']);
  const both = await pods('report', 2);
  const { metadata } = await eventually(world, ['mrun', 'report-1'], ({ status }) => status?.phase === 'Waiting');
  expect(new Set(both.map(({ spec }) => spec?.containers[0]?.args?.join(' ')))).toEqual(new Set(['echo one', 'echo two']));
  expect(both.flatMap((made) => made.metadata.ownerReferences?.map(({ kind, uid }) => `${kind} ${uid}`))).toEqual(Array.from({ length: 2 }, () => `WorkflowRun ${metadata.uid ?? ''}`));
  for (const made of both) await end(made, 0, { message: JSON.stringify({ said: made.spec?.containers[0]?.args?.[1] }) });

  const { status } = await ended('report-1');
  expect(status?.phase).toBe('Succeeded');
  expect((await outputs(status?.executionId)).map((json) => json['result'])).toEqual([{ said: 'one' }, { said: 'two' }]);
  await pods('report', 0);
  await until(async () => ((await world.store.podSteps.get(both[0]?.metadata.labels?.[podLabel.step] ?? '')) === undefined ? true : undefined));
});

test('a command that fails is tried again by the policy of the node, then fails the node with its exit code', async () => {
  await deploy('failing', { retry: { maxTries: 2, wait: '10ms' } });
  await run('failing-1', 'failing');
  const first = await pod('failing');
  await end(first, 3);
  const second = await until(async () => (await podsOf('failing')).find(({ metadata }) => metadata.name !== first.metadata.name), 60_000);
  expect(second.metadata.name).toBe(first.metadata.name.replace(/-1$/, '-2'));
  await end(second, 3);
  expect((await ended('failing-1')).status).toMatchObject({ phase: 'Failed', failure: { node: 'Pod', code: 'ContainerFailed', message: expect.stringContaining('exit code 3') } });
});

test('a pod that is evicted, or deleted by somebody, is made anew without a policy', async () => {
  await deploy('evicted');
  await run('evicted-1', 'evicted');
  const first = await pod('evicted');
  await end(first, 137, { reason: 'Evicted' });
  const second = await until(async () => (await podsOf('evicted')).find(({ metadata }) => metadata.name.endsWith('-2')), 60_000);
  await world.plane.kubectl('delete', 'pod', second.metadata.name, '--namespace', 'shop', '--now');
  const third = await until(async () => (await podsOf('evicted')).find(({ metadata }) => metadata.name.endsWith('-3')), 60_000);
  await end(third, 0, { message: 'done' });
  const { status } = await ended('evicted-1');
  expect(await outputs(status?.executionId)).toMatchObject([{ exitCode: 0, result: 'done', attempts: 3 }]);
});

test('an execution without a run gets one, and stays one execution', async () => {
  await deploy('bare');
  const [accepted] = await world.store.queue.enqueue([{ namespace: 'shop', workflow: 'bare', mode: 'Api', trigger: { node: 'Start', items: [{ json: { word: 'x' } }] } }]);
  const id = accepted?.accepted === true ? accepted.id : '';
  const made = await pod('bare');
  expect(made.metadata.ownerReferences).toMatchObject([{ kind: 'WorkflowRun', name: `execution-${id}` }]);
  await end(made, 0, { message: '7' });
  expect((await ended(`execution-${id}`)).status).toMatchObject({ phase: 'Succeeded', executionId: id });
  expect((await world.store.executions.list({ namespace: 'shop', workflow: 'bare' })).executions).toHaveLength(1);
});

test('a run that claims an execution of another workflow is refused', async () => {
  const { executions: [other] } = await world.store.executions.list({ namespace: 'shop', workflow: 'bare' });
  await world.plane.apply({
    apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name: 'thief', namespace: 'shop', annotations: { 'millrace.dev/execution': other?.id ?? '' } },
    spec: { workflowRef: { name: 'report' }, cancel: true },
  });
  const thief = await eventually(world, ['mrun', 'thief'], ({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Stalled' && is === 'True') === true);
  expect(thief.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Stalled', reason: 'ExecutionNotFound' }));
});

test('a canceled run takes its pod along', async () => {
  await deploy('canceled');
  await run('canceled-1', 'canceled');
  await pod('canceled');
  await world.plane.kubectl('patch', 'workflowruns.millrace.dev', 'canceled-1', '--namespace', 'shop', '--type=merge', '--patch', '{"spec":{"cancel":true}}');
  await pods('canceled', 0);
  expect((await ended('canceled-1')).status?.phase).toBe('Canceled');
});

test('no more pods than allowed are there at once, and all get their turn', async () => {
  await deploy('many');
  await run('many-1', 'many', ['1', '2', '3', '4', '5']);
  const done = new Set<string>();
  while (done.size < 5) {
    const open = (await podsOf('many')).filter(({ metadata, status }) => !done.has(metadata.name) && status?.phase === 'Pending');
    expect(open.length).toBeLessThanOrEqual(SETTINGS.maxActive);
    for (const made of open) {
      done.add(made.metadata.name);
      await end(made, 0, { message: '1' });
    }
    await delay(50);
  }
  expect(await outputs((await ended('many-1')).status?.executionId)).toHaveLength(5);
});

test('runner and operator that die while a pod runs make no second one', async () => {
  await deploy('crash');
  await run('crash-1', 'crash');
  const { metadata } = await pod('crash');
  await runner.kill();
  await operator.stop();
  operator = await world.startOperator(settings);
  runner = await startRunner(world.databaseUrl);
  const [only] = await pods('crash', 1);
  expect(only?.metadata.uid).toBe(metadata.uid);
  await end(only as Pod, 0, { message: '"once"' });
  expect(await outputs((await ended('crash-1')).status?.executionId)).toMatchObject([{ result: 'once', attempts: 1 }]);
});

/** A workflow whose container gets and gives files. */
async function deployFiles(name: string, artifacts: object, node: object = {}): Promise<void> {
  await world.plane.apply({
    apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: 'shop' },
    spec: {
      active: true,
      nodes: [
        { name: 'Start', type: 'manualTrigger' }, { name: 'File', type: 'convertToFile', parameters: { operation: 'toText', sourceProperty: 'word', options: { fileName: 'word.txt' } } },
        { name: 'Pod', type: 'container', parameters: { image: 'busybox', artifacts }, ...node },
      ],
      connections: [{ from: 'Start', output: 0, to: 'File', input: 0, type: 'main' }, { from: 'File', output: 0, to: 'Pod', input: 0, type: 'main' }],
    },
  });
  await eventually(world, ['mwf', name], isReady);
}

async function filesOf(made: Pod): Promise<PodFiles> {
  const files = await PodFiles.of(world.plane, made);
  podFiles.push(files);
  return files;
}

test('files of the item are put into its pod, and into no other', async () => {
  await deployFiles('files-in', { in: [{ binaryProperty: 'data', path: '/in/word.txt', mode: 0o640 }, { raw: 'n = 1', path: '/in/settings.ini' }] });
  await run('files-in-1', 'files-in', ['one', 'two']);
  const both = await pods('files-in', 2);
  const [first, second] = await Promise.all(both.map((made) => filesOf(made))) as [PodFiles, PodFiles];
  for (const files of [first, second]) expect(await files.run('millrace-fetch')).toMatchObject({ exitCode: 0 });
  expect(new Set(await Promise.all([first, second].map((files) => readFile(files.at('/millrace/files/in/0'), 'utf8'))))).toEqual(new Set(['one', 'two']));
  expect(await readFile(first.at('/millrace/files/in/1'), 'utf8')).toBe('n = 1');

  const token = await readFile(first.at('/var/run/secrets/millrace.dev/token'), 'utf8');
  const { url = '' } = settings.artifacts ?? {};
  const asked = async (given: string) => (await fetch(`${url}/inputs/0`, { headers: { authorization: `Bearer ${given.trim()}` } })).status;
  expect(await asked(token)).toBe(200);
  expect(await asked(await world.plane.kubectl('create', 'token', 'default', '--namespace', 'shop', '--audience', artifactAudience(HOME)))).toBe(403);
  expect(await asked(await world.plane.kubectl('create', 'token', 'default', '--namespace', 'shop'))).toBe(401);
  for (const made of both) await end(made, 0);
  expect((await ended('files-in-1')).status?.phase).toBe('Succeeded');
  expect(await asked(token)).not.toBe(200);
});

test('what the command wrote comes out as files, of the try that gave all of them', async () => {
  await deployFiles('files-out', { out: [
    { path: '/out/result.csv', binaryProperty: 'result' }, { path: '/out/parts', binaryProperty: 'parts', pack: true }, { path: '/out/log', binaryProperty: 'log', optional: true },
  ] }, { retry: { maxTries: 2, wait: '10ms' } });
  await run('files-out-1', 'files-out');
  const attempt = (n: number) => until(async () => (await podsOf('files-out')).find(({ metadata }) => metadata.name.endsWith(`-${n}`)), 60_000);
  // Ended without a word of its files: nobody's fault.
  await end(await attempt(1), 0);
  const second = await attempt(2);
  const lacking = await filesOf(second);
  await lacking.write('/millrace/files/out/0/result.csv', 'of try 2');
  expect(await lacking.run('millrace-send')).toMatchObject({ exitCode: 0 });
  await end(second, 0);
  const third = await attempt(3);
  const files = await filesOf(third);
  await files.write('/millrace/files/out/0/result.csv', 'a,b\n');
  await files.write('/millrace/files/out/0/parts/one', '1');
  expect(await files.run('millrace-send')).toMatchObject({ exitCode: 0 });
  expect(await lacking.run('millrace-send')).toMatchObject({ exitCode: 1 });
  await end(third, 0);
  const { status } = await ended('files-out-1');
  expect(status?.phase).toBe('Succeeded');
  const [nodeRun] = await world.store.executions.nodeRuns(status?.executionId ?? '', { node: 'Pod' });
  const item = nodeRun?.outputs[0]?.[0];
  expect(item).toMatchObject({ json: { exitCode: 0, attempts: 3 } });
  expect(item?.binary).toEqual({
    result: { id: expect.any(String), mimeType: 'text/csv', size: 4, sha256: expect.stringMatching(/^[0-9a-f]{64}$/), fileName: 'result.csv', fileExtension: 'csv' },
    parts: expect.objectContaining({ mimeType: 'application/gzip', fileName: 'parts.tar.gz' }),
  });
  expect(Buffer.from(await world.store.binaries.get(item?.binary?.['result']?.id ?? '') ?? []).toString()).toBe('a,b\n');
});

test('a file that is missing at last fails the node, and what a failed command left is kept when asked for', async () => {
  await deployFiles('files-missing', { out: [{ path: '/out/a', binaryProperty: 'a' }, { path: '/out/log', binaryProperty: 'log', onFailure: true }] }, { onError: 'Continue' });
  await run('files-missing-1', 'files-missing');
  const made = await pod('files-missing');
  const files = await filesOf(made);
  await files.write('/millrace/files/out/0/log', 'what went wrong');
  await files.run('millrace-send');
  await end(made, 0);
  const { status } = await ended('files-missing-1');
  const [nodeRun] = await world.store.executions.nodeRuns(status?.executionId ?? '', { node: 'Pod' });
  expect(nodeRun?.outputs[0]?.[0]).toMatchObject({ json: { error: expect.stringContaining('nothing to /out/a'), exitCode: 0 }, binary: { log: { fileName: 'log', size: 15 } } });
});

test('where containers are not enabled, the node says so', async () => {
  await operator.stop();
  operator = await world.startOperator();
  await run('off-1', 'report');
  expect((await ended('off-1')).status?.failure).toMatchObject({ code: 'ContainersNotAllowed', message: expect.stringContaining('containers.enabled') });
  expect(await podsOf('report')).toEqual([]);
});
