import { describe, expect, test } from '@jest/globals';
import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import type { RunnerPool } from '../resources.ts';
import { runnerDeployment } from './deployment.ts';
import { memoryBytes } from './memory.ts';

const defaults = {
  image: 'millrace:1', imagePullSecrets: [], serviceAccountName: 'millrace-runner', databaseSecret: { name: 'millrace-database', key: 'url' }, databasePort: 5432,
  baseUrl: 'https://flows.example', logLevel: 'info',
};
const pool = (spec: RunnerPoolSpec): RunnerPool => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name: 'default', namespace: 'millrace', uid: 'u1' }, spec,
});

function podOf(spec: RunnerPoolSpec) {
  const template = runnerDeployment(pool(spec), 1, defaults).spec?.template.spec;
  const container = template?.containers[0];
  const env = Object.fromEntries((container?.env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
  return { template, container, env };
}

describe('the pods of a pool', () => {
  test('pass Pod Security restricted and cannot write to their image', () => {
    const { template, container } = podOf({});
    expect(template?.securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container?.securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
    expect(template?.volumes).toEqual([{ name: 'tmp', emptyDir: {} }]);
    expect(template?.automountServiceAccountToken).toBe(true);
  });

  test('know their pool, their database and themselves', () => {
    expect(podOf({}).env).toMatchObject({
      MILLRACE_POOL: 'default',
      MILLRACE_DATABASE_URL: { secretKeyRef: { name: 'millrace-database', key: 'url' } },
      POD_NAME: { fieldRef: { fieldPath: 'metadata.name' } },
      MILLRACE_EXECUTORS: '2',
      MILLRACE_EXECUTOR_CONCURRENCY: '20',
      MILLRACE_EXECUTOR_MEMORY_MB: '304',
      MILLRACE_GRACE_MS: '25000',
    });
  });

  test('know the object storage when the installation has one', () => {
    const secret = { name: 'AWS_ACCESS_KEY_ID', valueFrom: { secretKeyRef: { name: 'keys', key: 'accessKeyId' } } };
    const draft = runnerDeployment(pool({}), 1, { ...defaults, objectStorage: { port: 9000, env: [{ name: 'MILLRACE_S3_BUCKET', value: 'b' }, secret] } });
    expect(draft.spec?.template?.spec?.containers?.[0]?.env).toEqual(expect.arrayContaining([{ name: 'MILLRACE_S3_BUCKET', value: 'b' }, secret]));
    expect(podOf({}).env).not.toHaveProperty('MILLRACE_S3_BUCKET');
  });

  test('share concurrency and memory among their executors', () => {
    const { env } = podOf({ executors: 4, concurrency: 50, resources: { limits: { memory: '2Gi' } } });
    expect(env).toMatchObject({ MILLRACE_EXECUTOR_CONCURRENCY: '13', MILLRACE_EXECUTOR_MEMORY_MB: '472' });
  });

  test('have no bound on executors when there is no memory limit', () => {
    expect(podOf({ resources: { requests: { cpu: '1' } } }).env).not.toHaveProperty('MILLRACE_EXECUTOR_MEMORY_MB');
  });

  test('go where the spec says, with the selector filled in', () => {
    const { template } = podOf({
      placement: { nodeSelector: { disk: 'ssd' }, topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }] },
      terminationGracePeriod: '2m', image: 'other:2', serviceAccountName: 'other', env: [{ name: 'A', value: 'b' }],
    });
    expect(template).toMatchObject({
      nodeSelector: { disk: 'ssd' },
      topologySpreadConstraints: [{ labelSelector: { matchLabels: { 'app.kubernetes.io/component': 'runner', 'millrace.dev/runner-pool': 'default' } } }],
      terminationGracePeriodSeconds: 120, serviceAccountName: 'other',
      containers: [{ image: 'other:2', env: expect.arrayContaining([{ name: 'A', value: 'b' }]) }],
    });
  });
});

test.each([['512Mi', 536_870_912], ['1G', 1e9], [1024, 1024], ['1.5Ki', 1536], ['12e6', undefined]])('%s is %s bytes', (quantity, want) => {
  expect(memoryBytes(quantity)).toBe(want);
});
