import { expect, test } from '@jest/globals';
import type { ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';
import { podName } from '../../../store/pod-steps.ts';
import type { PodFile } from '../../../store/pod-steps.ts';
import type { Pod } from '../../kube/builtin.ts';
import { keptFiles, withFiles } from './artifact-outcome.ts';
import { logTail, resultOf } from './container-result.ts';
import type { NextStep } from './next-step.ts';
import { nextStep } from './next-step.ts';
import { PodBudget } from './pod-budget.ts';
import { outcomeOf } from './pod-outcome.ts';
import { buildPod } from './pod.ts';

const step = { id: '0123456789abcdef0123', namespace: 'shop', workflow: 'orders', node: 'Report', executionId: 'e-1', attempt: 2 };
const owner = { apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', name: 'r', uid: 'u', controller: true, blockOwnerDeletion: true };
const build = (spec: Partial<ContainerSpec> = {}, change: { deadlineMs?: number; workflow?: string } = {}) => buildPod({ ...step, ...change }, { image: 'busybox', ...spec }, { installation: 'millrace', owner });

test('a pod passes the restricted profile, has no token, and is owned and labelled', () => {
  expect(build()).toEqual({
    metadata: {
      name: 'orders-0123456789abcdef0123-2', namespace: 'shop', ownerReferences: [owner], annotations: { 'millrace.dev/node': 'Report' },
      labels: {
        'app.kubernetes.io/managed-by': 'millrace-operator', 'app.kubernetes.io/component': 'container', 'millrace.dev/pod-step': step.id, 'millrace.dev/execution': 'e-1',
        'millrace.dev/installation': 'millrace', 'millrace.dev/workflow': 'orders',
      },
    },
    spec: {
      restartPolicy: 'Never', enableServiceLinks: false, automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532, fsGroup: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{
        name: 'main', image: 'busybox', securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        env: [{ name: 'MILLRACE_EXECUTION_ID', value: 'e-1' }, { name: 'MILLRACE_IDEMPOTENCY_KEY', value: step.id }, { name: 'MILLRACE_ATTEMPT', value: '2' }],
      }],
    },
  });
});

test.each<{ name: string; spec: Partial<ContainerSpec>; deadlineMs?: number; want: object }>([
  { name: 'a time of its own', spec: { timeoutSeconds: 60 }, want: { activeDeadlineSeconds: 60 } },
  { name: 'the time that the workflow has left', spec: { timeoutSeconds: 60 }, deadlineMs: 1500, want: { activeDeadlineSeconds: 2 } },
  { name: 'no less than a second', spec: {}, deadlineMs: 1, want: { activeDeadlineSeconds: 1 } },
  { name: 'a service account with its token', spec: { serviceAccountName: 'reader' }, want: { serviceAccountName: 'reader', automountServiceAccountToken: true } },
  { name: 'another user', spec: { runAsUser: 1000 }, want: { securityContext: { runAsUser: 1000, runAsNonRoot: true, fsGroup: 1000 } } },
  {
    name: 'sidecars that do not keep it from ending', spec: { sidecars: [{ name: 'proxy', image: 'proxy' }] },
    want: { initContainers: [{ name: 'proxy', image: 'proxy', restartPolicy: 'Always', securityContext: { allowPrivilegeEscalation: false } }] },
  },
  {
    name: 'volumes and pull secrets', spec: { volumes: [{ name: 'v', emptyDir: {} }], volumeMounts: [{ name: 'v', mountPath: '/v' }], imagePullSecrets: ['regcred'] },
    want: { volumes: [{ name: 'v', emptyDir: {} }], imagePullSecrets: [{ name: 'regcred' }], containers: [{ volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
  },
])('$name', ({ spec, deadlineMs, want }) => {
  expect(build(spec, deadlineMs === undefined ? {} : { deadlineMs }).spec).toMatchObject(want);
});

const artifacts = { url: 'http://millrace-artifacts.millrace.svc', audience: 'artifacts.millrace.millrace.dev', image: 'millrace:1', volumeSize: '2Gi', maxBytes: 1000, uploadSeconds: 120 };
const given = { file: { id: 'f', mimeType: 'text/plain', size: 1, sha256: 's' } };
const wanted = [{ path: '/out/a', binaryProperty: 'a' }, { path: '/out/b', binaryProperty: 'b', optional: true, onFailure: true }];
const file = { id: '8b0d4cbb-2b0f-4c1c-9b5c-5d4f3f0f3a11', size: 3, sha256: 'a'.repeat(64) };

const planOf = (spec: Pod['spec'], container: number): unknown => JSON.parse(spec?.initContainers?.[container]?.env?.[0]?.value ?? '');

test('files come to their paths before the command starts, with a token that the main container does not see', () => {
  const { spec } = buildPod(step, {
    image: 'busybox', sidecars: [{ name: 'proxy', image: 'proxy' }], volumes: [{ name: 'work', emptyDir: {} }, { name: 'deep', emptyDir: {} }],
    volumeMounts: [{ name: 'work', mountPath: '/data', subPath: 'w' }, { name: 'deep', mountPath: '/data/deep' }],
    artifacts: { in: [{ path: '/etc/app/in.csv', file }, { path: '/data/sub/b', raw: 'x', mode: 0o755 }, { path: '/data/deep/c', file, unpack: true }, { path: '/database', raw: 'y' }] },
  }, { installation: 'millrace', owner, artifacts });
  expect(spec?.initContainers?.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual([['proxy', 'Always'], ['millrace-fetch', undefined]]);
  const [, fetch] = spec?.initContainers ?? [];
  expect(fetch).toMatchObject({
    image: 'millrace:1', securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }, resources: { limits: { memory: '256Mi' } },
    volumeMounts: [
      { name: 'millrace-files', mountPath: '/millrace/files' }, { name: 'work', mountPath: '/millrace/volumes/0', subPath: 'w' }, { name: 'deep', mountPath: '/millrace/volumes/1' },
      { name: 'millrace-token', mountPath: '/var/run/secrets/millrace.dev', readOnly: true },
    ],
  });
  expect(planOf(spec, 1)).toEqual({
    url: artifacts.url, tokenFile: '/var/run/secrets/millrace.dev/token', patienceMs: 120_000, out: [], maxBytes: 1000,
    in: [
      { root: '/millrace/files', path: 'in/0', at: '/etc/app/in.csv', mode: 0o644, unpack: false, sha256: file.sha256 },
      { root: '/millrace/volumes/0', path: 'sub/b', at: '/data/sub/b', mode: 0o755, unpack: false },
      { root: '/millrace/volumes/1', path: 'c', at: '/data/deep/c', mode: 0o644, unpack: true, sha256: file.sha256 },
      { root: '/millrace/files', path: 'in/3', at: '/database', mode: 0o644, unpack: false },
    ],
  });
  expect(spec?.containers[0]?.volumeMounts).toEqual([
    { name: 'work', mountPath: '/data', subPath: 'w' }, { name: 'deep', mountPath: '/data/deep' },
    { name: 'millrace-files', mountPath: '/etc/app/in.csv', subPath: 'in/0' }, { name: 'millrace-files', mountPath: '/database', subPath: 'in/3' },
  ]);
  expect(spec?.volumes?.slice(2)).toEqual([
    { name: 'millrace-files', emptyDir: { sizeLimit: '2Gi' } },
    { name: 'millrace-token', projected: { sources: [{ serviceAccountToken: { audience: artifacts.audience, expirationSeconds: 3600, path: 'token' } }] } },
  ]);
  expect(spec?.automountServiceAccountToken).toBe(false);
});

test('files that go out lie in directories that both see, until a sidecar has sent them', () => {
  const { spec } = buildPod(step, {
    image: 'busybox', volumes: [{ name: 'work', persistentVolumeClaim: { claimName: 'w' } }], volumeMounts: [{ name: 'work', mountPath: '/data' }], sidecars: [{ name: 'proxy', image: 'proxy' }],
    artifacts: {
      in: [{ path: '/out/in', raw: 'x' }],
      out: [
        { path: '/out/a/b', binaryProperty: 'b' }, { path: '/out/a', binaryProperty: 'a', pack: true }, { path: '/out/c', binaryProperty: 'c' }, { path: '/outer/d', binaryProperty: 'd' },
        { path: '/data/e', binaryProperty: 'e' }, { path: '/data', binaryProperty: 'w', pack: true },
      ],
    },
  }, { installation: 'millrace', owner, artifacts });
  expect(spec?.terminationGracePeriodSeconds).toBe(120);
  expect(spec?.initContainers?.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual([['proxy', 'Always'], ['millrace-fetch', undefined], ['millrace-send', 'Always']]);
  expect(spec?.containers[0]?.volumeMounts).toEqual([
    { name: 'work', mountPath: '/data' }, { name: 'millrace-files', mountPath: '/out', subPath: 'out/0' }, { name: 'millrace-files', mountPath: '/outer', subPath: 'out/1' },
  ]);
  const files = '/millrace/files';
  expect(planOf(spec, 1)).toMatchObject({ in: [{ root: files, path: 'out/0/in' }], out: [] });
  expect(planOf(spec, 2)).toMatchObject({ patienceMs: 118_000, maxBytes: 1000, in: [], out: [
    { root: files, path: 'out/0/a/b', at: '/out/a/b', pack: false }, { root: files, path: 'out/0/a', pack: true }, { root: files, path: 'out/0/c' }, { root: files, path: 'out/1/d' },
    { root: '/millrace/volumes/0', path: 'e' }, { root: '/millrace/volumes/0', path: '', pack: true },
  ] });
  expect(spec?.initContainers?.[2]?.volumeMounts?.every(({ readOnly }) => readOnly)).toBe(true);
});

test.each<{ name: string; files: [number, PodFile][]; unsaid?: string; want: object }>([
  { name: 'gave all', files: [[0, given], [1, given]], want: { kind: 'Succeeded' } },
  { name: 'gave all but what is optional', files: [[0, given], [1, { problem: { code: 'ArtifactMissing', message: 'm' } }]], want: { kind: 'Succeeded' } },
  { name: 'did not write a file', files: [[0, { problem: { code: 'ArtifactMissing', message: 'nothing' } }], [1, given]], want: { kind: 'Failed', code: 'ArtifactMissing', message: 'nothing.', exitCode: 0 } },
  { name: 'wrote too much', files: [[0, given], [1, { problem: { code: 'ArtifactTooLarge', message: 'm' } }]], want: { kind: 'Failed', code: 'ArtifactTooLarge' } },
  { name: 'says what nobody knows', files: [[0, { problem: { code: 'X', message: 'm' } }]], want: { kind: 'NotTransferred', reason: 'm' } },
  { name: 'sent nothing', files: [], want: { kind: 'NotTransferred', reason: 'nothing is known of /out/a' } },
  { name: 'could not send the second', files: [[0, given]], unsaid: 'no answer', want: { kind: 'NotTransferred', reason: 'nothing is known of /out/b; no answer' } },
])('a command that succeeded and $name', ({ files, unsaid = '', want }) => {
  expect(withFiles({ kind: 'Succeeded', message: '' }, wanted, { files: new Map(files), unsaid })).toMatchObject(want);
});

test('of a try that failed only what was asked for goes on', () => {
  const files = new Map([[0, given], [1, given]]);
  expect(keptFiles(wanted, files, false)).toEqual({ a: given.file, b: given.file });
  expect(keptFiles(wanted, files, true)).toEqual({ b: given.file });
  expect(keptFiles(wanted, new Map(), true)).toBeUndefined();
});

test('a pod without files is what it was', () => {
  expect(buildPod(step, { image: 'busybox', artifacts: {} }, { installation: 'millrace', owner, artifacts })).toEqual(build());
});

test('the name of a pod is short and valid, whatever the workflow is called', () => {
  expect(podName({ ...step, workflow: `${'a'.repeat(29)}-${'b'.repeat(200)}` })).toBe(`${'a'.repeat(29)}-${step.id}-2`);
});

const CREATED = Date.parse('2026-01-01T00:00:00Z');
const pod = (status: Pod['status'], metadata: object = {}): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata }, status: status ?? {} });
const main = (state: object) => [{ name: 'main', image: 'x', imageID: '', ready: false, restartCount: 0, state }];
const fetched = (message: string) => pod({ phase: 'Failed', containerStatuses: main({ waiting: { reason: 'PodInitializing' } }), initContainerStatuses: main({ terminated: { exitCode: 1, reason: 'Error', message } }).map((one) => ({ ...one, name: 'millrace-fetch' })) });
const ended = (exitCode: number, more: object = {}) => main({ terminated: { exitCode, ...more } });

test.each<{ name: string; given: Pod; want: object }>([
  { name: 'nothing known yet', given: pod(undefined), want: { kind: 'Running' } },
  { name: 'waits for a node', given: pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }), want: { kind: 'Running' } },
  { name: 'is being created', given: pod({ phase: 'Pending', containerStatuses: main({ waiting: { reason: 'ContainerCreating' } }) }), want: { kind: 'Running' } },
  { name: 'the image is missing', given: pod({ phase: 'Pending', containerStatuses: main({ waiting: { reason: 'ImagePullBackOff', message: 'not found' } }) }), want: { kind: 'Stuck', code: 'ImageUnavailable', sinceMs: 1000, final: false, message: expect.stringContaining('not found') } },
  { name: 'the image has no name', given: pod({ phase: 'Pending', containerStatuses: main({ waiting: { reason: 'InvalidImageName' } }) }), want: { kind: 'Stuck', code: 'ImageUnavailable', final: true } },
  { name: 'a Secret is missing', given: pod({ phase: 'Pending', containerStatuses: main({ waiting: { reason: 'CreateContainerConfigError' } }) }), want: { kind: 'Stuck', code: 'ContainerNotStarted' } },
  { name: 'a sidecar dies again and again', given: pod({ phase: 'Pending', initContainerStatuses: main({ waiting: { reason: 'CrashLoopBackOff' } }) }), want: { kind: 'Stuck', code: 'ContainerNotStarted' } },
  { name: 'its sidecars end', given: pod({ phase: 'Running', containerStatuses: ended(0) }), want: { kind: 'Running' } },
  { name: 'is being deleted', given: pod({ phase: 'Running' }, { deletionTimestamp: 'x' }), want: { kind: 'Running' } },
  { name: 'succeeded', given: pod({ phase: 'Succeeded', containerStatuses: ended(0, { message: '{"a":1}' }) }), want: { kind: 'Succeeded', message: '{"a":1}' } },
  { name: 'succeeded though it was being deleted', given: pod({ phase: 'Succeeded', containerStatuses: ended(0) }, { deletionTimestamp: 'x' }), want: { kind: 'Succeeded', message: '' } },
  { name: 'the command failed', given: pod({ phase: 'Failed', containerStatuses: ended(3, { reason: 'Error' }) }), want: { kind: 'Failed', code: 'ContainerFailed', exitCode: 3 } },
  { name: 'out of memory', given: pod({ phase: 'Failed', containerStatuses: ended(137, { reason: 'OOMKilled' }) }), want: { kind: 'Failed', code: 'ContainerOutOfMemory', exitCode: 137 } },
  { name: 'took too long', given: pod({ phase: 'Failed', reason: 'DeadlineExceeded', containerStatuses: ended(137) }), want: { kind: 'Failed', code: 'ContainerTimeout' } },
  { name: 'evicted by its kubelet', given: pod({ phase: 'Failed', reason: 'Evicted' }), want: { kind: 'Interrupted', reason: 'Evicted' } },
  { name: 'evicted for the size of its files', given: pod({ phase: 'Failed', reason: 'Evicted', message: 'Usage of EmptyDir volume "millrace-files" exceeds the limit "2Gi". ' }), want: { kind: 'Failed', code: 'ArtifactTooLarge' } },
  { name: 'evicted by a drain', given: pod({ phase: 'Failed', containerStatuses: ended(143), conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }] }), want: { kind: 'Interrupted', reason: 'EvictionByEvictionAPI' } },
  { name: 'deleted by a person', given: pod({ phase: 'Failed', containerStatuses: ended(143) }, { deletionTimestamp: 'x' }), want: { kind: 'Interrupted', reason: 'Deleted' } },
  { name: 'turned away by its node', given: pod({ phase: 'Failed', reason: 'OutOfcpu' }), want: { kind: 'Interrupted', reason: 'OutOfcpu' } },
  { name: 'found no archive to unpack', given: fetched(JSON.stringify({ code: 'ArtifactInvalid', message: 'no tar.gz' })), want: { kind: 'Failed', code: 'ArtifactInvalid', message: 'no tar.gz.' } },
  { name: 'did not reach the api', given: fetched(JSON.stringify({ code: 'ArtifactNotTransferred', message: 'no answer' })), want: { kind: 'NotTransferred', reason: 'no answer' } },
  { name: 'fetched nothing, without a word', given: fetched('{'), want: { kind: 'NotTransferred', reason: 'exit code 1, Error' } },
  { name: 'failed without a word', given: pod({ phase: 'Failed' }), want: { kind: 'Interrupted', reason: 'PodFailed' } },
])('a pod that $name', ({ given, want }) => {
  expect(outcomeOf(given, CREATED + 1000)).toMatchObject(want);
});

const failed = { kind: 'Failed', code: 'ContainerFailed', message: 'm', exitCode: 3 } as const;
const interrupted = { kind: 'Interrupted', reason: 'Evicted' } as const;
const stuck = { kind: 'Stuck', code: 'ImageUnavailable', message: 'm', final: false, sinceMs: 0 } as const;
test.each<{ name: string; outcome: Parameters<typeof nextStep>[0]; tries?: Partial<Parameters<typeof nextStep>[1]>; spec?: Parameters<typeof nextStep>[2]; want: NextStep | object }>([
  { name: 'a failure without a retry policy', outcome: failed, want: { do: 'fail', code: 'ContainerFailed', exitCode: 3 } },
  { name: 'a failure with tries left', outcome: failed, spec: { retries: { max: 2, waitMs: 500, exponential: false } }, want: { do: 'retry', failed: true, afterMs: 500 } },
  { name: 'pauses that double', outcome: failed, tries: { failures: 2, attempt: 3 }, spec: { retries: { max: 9, waitMs: 500, exponential: true } }, want: { do: 'retry', failed: true, afterMs: 2000 } },
  { name: 'pauses that end to double', outcome: failed, tries: { failures: 30, attempt: 31 }, spec: { retries: { max: 99, waitMs: 500, exponential: true } }, want: { do: 'retry', failed: true, afterMs: 300_000 } },
  { name: 'the last failure', outcome: failed, tries: { failures: 2, attempt: 3 }, spec: { retries: { max: 2, waitMs: 500, exponential: false } }, want: { do: 'fail' } },
  { name: 'a failure when the time is over', outcome: failed, tries: { deadlineMs: 0 }, spec: { retries: { max: 2, waitMs: 500, exponential: false } }, want: { do: 'fail' } },
  { name: 'an interruption, which needs no policy', outcome: interrupted, want: { do: 'retry', failed: false, afterMs: 1000 } },
  { name: 'interruptions beside failures', outcome: interrupted, tries: { attempt: 9, failures: 6 }, want: { do: 'retry', failed: false, afterMs: 4000 } },
  { name: 'one interruption too many', outcome: interrupted, tries: { attempt: 6 }, want: { do: 'fail', code: 'ContainerInterrupted', message: expect.stringContaining('(Evicted) 6 times') } },
  { name: 'files that cannot be moved', outcome: { kind: 'NotTransferred', reason: 'no answer' }, want: { do: 'retry', failed: false, afterMs: 1000 } },
  { name: 'files that cannot be moved, at last', outcome: { kind: 'NotTransferred', reason: 'no answer' }, tries: { attempt: 6 }, want: { do: 'fail', code: 'ArtifactNotTransferred', message: expect.stringContaining('in 6 pods: no answer') } },
  { name: 'none allowed', outcome: interrupted, spec: { interruptions: 0 }, want: { do: 'fail', code: 'ContainerInterrupted' } },
  { name: 'a missing image, at first', outcome: stuck, want: { do: 'wait', afterMs: 300_000 } },
  { name: 'a missing image, at last', outcome: { ...stuck, sinceMs: 300_000 }, want: { do: 'fail', code: 'ImageUnavailable' } },
  { name: 'an image that cannot be', outcome: { ...stuck, final: true }, want: { do: 'fail', code: 'ImageUnavailable' } },
])('$name', ({ outcome, tries = {}, spec = {}, want }) => {
  expect(nextStep(outcome, { attempt: 1, failures: 0, ...tries }, spec)).toMatchObject(want);
});

test.each([
  { from: 'file', message: '{"n": 1}\n', log: 'x', want: { n: 1 } },
  { from: 'file', message: 'done', log: 'x', want: 'done' },
  { from: 'file', message: '', log: '{"n": 1}', want: null },
  { from: 'file', message: 'false', log: '', want: false },
  { from: 'log', message: 'x', log: '[1,\n2]\n', want: [1, 2] },
  { from: 'log', message: '', log: 'starts\n{"n": 1}\n', want: { n: 1 } },
  { from: 'log', message: '', log: 'two\nlines\n', want: 'two\nlines' },
] as const)('the result from $from: $message$log', ({ from, message, log, want }) => {
  expect(resultOf(from, message, log)).toEqual(want);
});

test('of a long log the end is kept, in whole lines', () => {
  const log = Array.from({ length: 5000 }, (_, n) => `line ${n}\n`).join('');
  expect(logTail(log)).toMatch(/^line \d+\n/);
  expect(log.endsWith(logTail(log))).toBe(true);
  expect(logTail(log).length).toBeLessThanOrEqual(16 * 1024);
});

test('there are no more pods at once than allowed, nor created faster, counting those that no watch has shown yet', () => {
  let now = 0;
  const seen = new Set<string>();
  const budget = new PodBudget({ maxActive: 3, perSecond: 2, monotonic: () => now, active: (namespace) => [...seen].filter((key) => key.startsWith(`${namespace}/`)).length });
  const create = (name: string) => budget.mayCreate(`shop/${name}`, 'shop');
  expect([create('a'), create('b'), create('c')]).toEqual([true, true, false]);
  now = 1000;
  seen.add('shop/a');
  budget.settle('shop/a');
  expect([create('c'), create('d')]).toEqual([true, false]);
  expect(budget.mayCreate('other/a', 'other')).toBe(true);
  now = 2000;
  budget.settle('shop/b');
  expect(create('d')).toBe(true);
  expect(create('e')).toBe(false);
  expect(budget.room()).toEqual({ pods: 1, full: ['shop'] });
  expect([budget.freed('shop'), budget.freed('shop')]).toEqual([true, false]);
  expect(budget.room().full).toEqual([]);
});

test('pods are deleted one after the other, each in its turn', () => {
  let now = 0;
  const budget = new PodBudget({ maxActive: 3, perSecond: 2, monotonic: () => now, active: () => 0 });
  expect(['a', 'b', 'c', 'd'].map((name) => budget.deleteInMs(`shop/${name}`))).toEqual([0, 0, 500, 1000]);
  now = 500;
  expect([budget.deleteInMs('shop/c'), budget.deleteInMs('shop/d'), budget.deleteInMs('shop/e')]).toEqual([0, 500, 1000]);
});
