import { expect, test } from '@jest/globals';
import type { IsolatedState } from '../../../store/isolated.ts';
import type { Pod } from '../../kube/builtin.ts';
import type { RunnerPool } from '../resources.ts';
import { planPods, type Observed } from './plan.ts';
import { podName, runnerPod } from './runner-pod.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const at = (secondsAgo: number): string => new Date(NOW - secondsAgo * 1000).toISOString();
const pool = (name: string): RunnerPool => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name, namespace: 'millrace', uid: `uid-${name}` },
  spec: { executors: 4, concurrency: 100, env: [{ name: 'REGION', value: 'eu' }], resources: { limits: { memory: '512Mi' } } },
});
const defaults = {
  image: 'millrace:1', imagePullSecrets: [], serviceAccountName: 'runner', databaseSecret: { name: 'database', key: 'url' }, databasePort: 5432, baseUrl: 'http://api', instance: 'main', logLevel: 'info',
};
const execution = (id: string, attempt = 1) => ({ id, attempt, namespace: 'shop', workflow: 'orders' });
const small = pool('small');

function pod(id: string, { attempt = 1, phase = 'Running', endedAgo }: { attempt?: number; phase?: string; endedAgo?: number } = {}): Pod {
  const { metadata, spec } = runnerPod(small, execution(id, attempt), defaults);
  const containerStatuses = endedAgo === undefined ? [] : [{ name: 'runner', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode: 0, finishedAt: at(endedAgo) } } }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, creationTimestamp: at(300) }, ...(spec && { spec }), status: { phase, containerStatuses } };
}

const states = (given: Record<string, IsolatedState>): ReadonlyMap<string, IsolatedState> => new Map(Object.entries(given));

test.each<{ name: string; given: Partial<Observed>; create?: string[]; remove?: string[] }>([
  { name: 'nothing', given: {} },
  { name: 'one for each that may start', given: { wanted: [{ pool: small, executions: [execution('a'), execution('b')] }] }, create: ['a', 'b'] },
  {
    name: 'pools in turn, no more than there may be', given: { maxPods: 3, wanted: [{ pool: small, executions: [execution('a'), execution('b'), execution('c')] }, { pool: pool('big'), executions: [execution('d')] }] },
    create: ['a', 'd', 'b'],
  },
  { name: 'finished pods take no room', given: { maxPods: 1, wanted: [{ pool: small, executions: [execution('a')] }], pods: [pod('z', { phase: 'Succeeded', endedAgo: 5 })] }, create: ['a'] },
  { name: 'unfinished ones do', given: { maxPods: 1, wanted: [{ pool: small, executions: [execution('a')] }], pods: [pod('z')] } },
  { name: 'a pod that is coming is not made again', given: { wanted: [{ pool: small, executions: [execution('a')] }], pods: [pod('a', { phase: 'Pending' })], states: states({ a: { fence: 0, isRunning: false } }) } },
  { name: 'the next claim gets another pod', given: { wanted: [{ pool: small, executions: [execution('a', 2)] }], pods: [pod('a')] }, create: ['a'] },
  { name: 'a pod that ended without taking its execution goes after some time', given: { wanted: [{ pool: small, executions: [execution('a')] }], pods: [pod('a', { phase: 'Failed', endedAgo: 11 })] }, remove: ['a'] },
  { name: 'and not sooner', given: { wanted: [{ pool: small, executions: [execution('a')] }], pods: [pod('a', { phase: 'Failed', endedAgo: 9 })] } },
  { name: 'a finished pod stays for a minute', given: { pods: [pod('a', { phase: 'Succeeded', endedAgo: 59 }), pod('b', { phase: 'Succeeded', endedAgo: 61 })] }, remove: ['b'] },
  { name: 'a pod that waits for a node goes with its execution', given: { pods: [pod('a', { phase: 'Pending' })] }, remove: ['a'] },
  { name: 'or when another has taken it', given: { pods: [pod('a', { phase: 'Pending' })], states: states({ a: { fence: 2, isRunning: true } }) }, remove: ['a'] },
  { name: 'the one that has taken it stays, even while it looks as if it waited', given: { pods: [pod('a', { phase: 'Pending' })], states: states({ a: { fence: 1, isRunning: true } }) } },
  { name: 'a pod that runs ends by itself', given: { pods: [pod('a')] } },
])('$name', ({ given, create = [], remove = [] }) => {
  const plan = planPods({ wanted: [], pods: [], states: new Map(), maxPods: 10, now: NOW, ...given });
  expect(plan.create.map((each) => each.execution.id)).toEqual(create);
  expect(plan.remove.map(({ metadata }) => metadata.labels?.['millrace.dev/execution'])).toEqual(remove);
});

test('the pod is what the pool would make, with one slot for one execution', () => {
  const { metadata, spec } = runnerPod(small, { ...execution('0198-e', 3), workflowRun: 'run-uid' }, defaults);
  expect(metadata).toMatchObject({
    name: 'orders-0198-e-3', namespace: 'millrace', ownerReferences: [{ kind: 'RunnerPool', uid: 'uid-small' }],
    annotations: { 'millrace.dev/attempt': '3', 'millrace.dev/workflow-run': 'run-uid' },
    labels: { 'app.kubernetes.io/component': 'runner', 'millrace.dev/runner-pool': 'small', 'millrace.dev/execution': '0198-e', 'millrace.dev/workflow-namespace': 'shop', 'millrace.dev/workflow': 'orders' },
  });
  const [container] = spec?.containers ?? [];
  const env = Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
  expect(spec).toMatchObject({ restartPolicy: 'Never', serviceAccountName: 'runner' });
  expect(container?.resources).toEqual({ limits: { memory: '512Mi' } });
  expect(env).toMatchObject({ MILLRACE_POOL: 'small+pod', MILLRACE_EXECUTION: '0198-e', MILLRACE_EXECUTORS: '1', MILLRACE_EXECUTOR_CONCURRENCY: '1', REGION: 'eu' });
  expect(container?.env).toHaveLength(new Set(container?.env?.map(({ name }) => name)).size);
});

test('names fit into a host name', () => {
  const name = podName({ workflow: 'a.workflow-with-a-very-long-name', id: '01980000-0000-7000-8000-000000000000', attempt: 12 });
  expect(name).toBe('a-workflow-with-a-ve-01980000-0000-7000-8000-000000000000-12');
  expect(name.length).toBeLessThanOrEqual(63);
});
