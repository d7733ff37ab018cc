import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Pod } from '../../operator/kube/builtin.ts';
import { isolatedPool } from '../../store/pool-name.ts';
import type { RunningOperator, World } from './controllers-setup.ts';
import { HOME, eventually, isReady, startWorld, until } from './controllers-setup.ts';

/** Real API server, operator, database and runners; the test stands in for the kubelet and starts what a pod says. */

jest.setTimeout(180_000);

const ENTRY = join(import.meta.dirname, '../../runner/main.ts');
const PODS = `/api/v1/namespaces/${HOME}/pods`;

let world: World;
let operator: RunningOperator;
const runners = new Set<ChildProcess>();

beforeAll(async () => {
  world = await startWorld();
  await world.plane.kubectl('create', 'serviceaccount', 'runner', '--namespace', HOME);
  await world.plane.apply({ apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name: 'default', namespace: HOME }, spec: { replicas: 0, maxCrashes: 2 } });
  operator = await world.startOperator();
}, 240_000);
afterAll(async () => {
  for (const runner of runners) runner.kill('SIGKILL');
  await operator.stop();
  await world.stop();
});

async function deploy(name: string, nodes: object[], settings: object = {}): Promise<void> {
  const [first, ...rest] = nodes as { name: string }[];
  await world.plane.apply({
    apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: 'shop' },
    spec: {
      active: true, settings: { isolation: 'pod', ...settings }, nodes,
      connections: rest.map((to, index) => ({ from: (index === 0 ? first : rest[index - 1])?.name, output: 0, to: to.name, input: 0, type: 'main' })),
    },
  });
  await eventually(world, ['mwf', name], isReady);
}

const START = { name: 'Start', type: 'manualTrigger' };
const SET = { name: 'Say', type: 'set', parameters: { assignments: { assignments: [{ id: 'a', name: 'said', type: 'string', value: 'hello' }] } } };

const run = (name: string, workflow: string, spec: object = {}) => world.plane.apply({ apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name, namespace: 'shop' }, spec: { workflowRef: { name: workflow }, ...spec } });
const ended = (name: string) => eventually(world, ['mrun', name], ({ status }) => status?.finishedAt !== undefined, 60_000);
const podsOf = async (workflow: string): Promise<Pod[]> =>
  (await world.cluster.request<{ items: Pod[] }>(PODS, { query: { labelSelector: `millrace.dev/workflow=${workflow},millrace.dev/execution` } })).items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
const executionOf = ({ metadata }: Pod): string => metadata.labels?.['millrace.dev/execution'] ?? '';
const podOf = (workflow: string, attempt = 1) => until(async () => (await podsOf(workflow)).find(({ metadata }) => metadata.annotations?.['millrace.dev/attempt'] === String(attempt)), 60_000);

/** What the kubelet would start. */
async function start(pod: Pod): Promise<ChildProcess> {
  const { metadata, spec } = pod;
  await setPhase(pod, 'Running');
  const given = Object.fromEntries((spec?.containers[0]?.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])));
  const env = { ...given, PATH: process.env['PATH'], MILLRACE_DATABASE_URL: world.databaseUrl, MILLRACE_HEALTH_PORT: '0', MILLRACE_LEASE_MS: '2000', POD_NAME: metadata.name };
  const runner = spawn('setpriv', ['--pdeathsig=KILL', '--', process.execPath, ENTRY], { env, stdio: 'ignore' });
  runners.add(runner);
  return runner;
}

/** What the kubelet would write. */
async function setPhase({ metadata }: Pod, phase: 'Running' | 'Succeeded' | 'Failed'): Promise<void> {
  await world.cluster.request(`${PODS}/${metadata.name}/status`, { method: 'PATCH', contentType: 'application/merge-patch+json', body: { status: { phase } } });
}

async function exitCode(runner: ChildProcess): Promise<number | null> {
  if (runner.exitCode === null && runner.signalCode === null) await once(runner, 'exit');
  return runner.exitCode;
}

/** As when its node goes away. */
async function kill(pod: Pod, runner: ChildProcess): Promise<void> {
  runner.kill('SIGKILL');
  await exitCode(runner);
  await setPhase(pod, 'Failed');
}

test('an execution runs in a runner pod that is there for it alone, and ends with it', async () => {
  await deploy('alone', [START, SET]);
  await run('alone-1', 'alone');
  const pod = await podOf('alone');
  expect(pod.metadata.annotations?.['millrace.dev/workflow-run']).toBeDefined();
  const runner = await start(pod);
  const { status } = await ended('alone-1');
  expect(status?.phase).toBe('Succeeded');
  expect(await exitCode(runner)).toBe(0);
  expect((await world.store.executions.get(status?.executionId ?? ''))?.pool).toBe(isolatedPool('default'));
  await setPhase(pod, 'Succeeded');
});

test('an execution that waits has no pod, and gets another one when it goes on', async () => {
  await deploy('waits', [START, { name: 'Wait', type: 'wait', parameters: { resume: 'webhook' } }, SET]);
  await run('waits-1', 'waits');
  const first = await podOf('waits');
  expect(await exitCode(await start(first))).toBe(0);
  await setPhase(first, 'Succeeded');
  const { status } = await eventually(world, ['mrun', 'waits-1'], ({ status: seen }) => seen?.phase === 'Waiting');
  expect(await world.store.queue.resume({ executionId: status?.executionId ?? '', node: 'Wait', items: [{ json: {} }] })).toBe(true);
  const second = await podOf('waits', 2);
  await start(second);
  expect((await ended('waits-1')).status?.phase).toBe('Succeeded');
  await setPhase(second, 'Succeeded');
});

test('a pod that is killed is replaced under the lease, and an execution that takes its pods down is buried', async () => {
  await deploy('deadly', [START, { name: 'Spin', type: 'code', parameters: { jsCode: 'await new Promise(() => undefined);' } }]);
  await run('deadly-1', 'deadly');
  for (const attempt of [1, 2]) {
    const pod = await podOf('deadly', attempt);
    const runner = await start(pod);
    await until(async () => ((await world.store.isolated.states([executionOf(pod)])).get(executionOf(pod))?.isRunning === true ? true : undefined));
    await kill(pod, runner);
  }
  const { status } = await ended('deadly-1');
  expect(status?.failure).toMatchObject({ code: 'ExecutionCrashed' });
  expect(await world.store.deadLetters.get(status?.executionId ?? '')).toMatchObject({ crashes: [{ reason: 'RunnerLost' }, { reason: 'RunnerLost' }] });
});

test('there are no more pods than allowed, those of canceled runs make room, and a paused pool makes none', async () => {
  await deploy('many', [START, SET]);
  for (const n of [1, 2, 3]) await run(`many-${n}`, 'many', { runnerPool: 'default' });
  const both = await until(async () => {
    const found = await podsOf('many');
    return found.length === 2 ? found : undefined;
  });
  await world.store.pools.hold('default', true);
  const canceled = both.map(executionOf);
  await world.store.queue.cancel(canceled);
  await until(async () => ((await podsOf('many')).length === 0 ? true : undefined));
  await world.store.pools.hold('default', false);
  const third = await podOf('many');
  expect(canceled).not.toContain(executionOf(third));
  await start(third);
  await until(async () => ((await world.store.executions.get(executionOf(third)))?.status === 'Succeeded' ? true : undefined));
});
