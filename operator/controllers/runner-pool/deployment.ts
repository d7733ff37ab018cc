import { durationMs } from '../../../crds/duration.ts';
import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import type { AppsDeployment } from '../../kube/builtin.ts';
import type { Draft } from '../../kube/object.ts';
import { ownerReference } from '../../kube/owner-reference.ts';
import { MANAGED_BY, label } from '../labels.ts';
import type { RunnerPool } from '../resources.ts';
import { memoryBytes } from './memory.ts';

/** A variable of a runner pod: its value, or where in a Secret that is. */
export type RunnerVariable = { name: string; value: string } | { name: string; valueFrom: { secretKeyRef: { name: string; key: string } } };

/** What the installation gives every runner pod. */
export interface RunnerDefaults {
  image: string;
  imagePullPolicy?: string;
  imagePullSecrets: readonly string[];
  serviceAccountName: string;
  /** Secret, in the operator's namespace, with the URL of PostgreSQL. */
  databaseSecret: { name: string; key: string };
  /** Where PostgreSQL listens, for NetworkPolicies. */
  databasePort: number;
  /** Where files and large payloads are, unless in PostgreSQL: what its pods are told, and where it listens. */
  objectStorage?: { env: readonly RunnerVariable[]; port: number };
  baseUrl: string;
  /** Name of the release, for the pods only: NetworkPolicies select by it, while GitOps tools take what carries it for their own. */
  instance?: string;
  logLevel: string;
  /** Environment that turns traces on. */
  tracing?: readonly { name: string; value: string }[];
}

const DEFAULT_EXECUTORS = 2;
const DEFAULT_CONCURRENCY = 40;
const DEFAULT_RESOURCES = { requests: { cpu: '100m', memory: '384Mi' }, limits: { memory: '768Mi' } };
const DEFAULT_GRACE = '30s';
/** Between the end of the runner's own patience and the kill by the kubelet. */
const GRACE_MARGIN_MS = 5000;
/** What the supervisor process needs besides its executors. */
const SUPERVISOR_BYTES = 160 * 2 ** 20;
/** And with object storage: the SDK, and parts under way. */
const OBJECT_STORAGE_BYTES = 64 * 2 ** 20;
const MIB = 2 ** 20;
const PORT = 8080;

export function deploymentName(pool: string): string {
  return `millrace-runner-${pool}`;
}

/** Selects the pods of a pool; its text form is what autoscalers read. */
export function podLabels(pool: string): Record<string, string> {
  return { [label.component]: 'runner', [label.runnerPool]: pool };
}

/** Executions that one pod runs at the same time: `concurrency`, rounded up so that its executors have equal shares. */
export function slotsOf({ concurrency = DEFAULT_CONCURRENCY, executors = DEFAULT_EXECUTORS }: RunnerPoolSpec): number {
  return Math.ceil(concurrency / executors) * executors;
}

/** The apps/v1 Deployment of a pool. Passes the Pod Security level `restricted`. */
export function runnerDeployment(pool: RunnerPool, replicas: number, defaults: RunnerDefaults): Draft<AppsDeployment> {
  const { spec, metadata } = pool;
  const graceMs = durationMs(spec.terminationGracePeriod ?? DEFAULT_GRACE);
  const selector = podLabels(metadata.name);
  const labels = { [label.name]: 'millrace', [label.managedBy]: MANAGED_BY, ...selector };
  const pullSecrets = spec.imagePullSecrets ?? defaults.imagePullSecrets.map((name) => ({ name }));
  return {
    metadata: { name: deploymentName(metadata.name), namespace: metadata.namespace ?? '', labels, ownerReferences: [ownerReference(pool)] },
    spec: {
      replicas,
      revisionHistoryLimit: 3,
      // A new pod takes work before an old one stops taking it.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } },
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: { ...labels, ...(defaults.instance === undefined ? {} : { [label.instance]: defaults.instance }) } },
        spec: {
          serviceAccountName: spec.serviceAccount ? deploymentName(metadata.name) : spec.serviceAccountName ?? defaults.serviceAccountName,
          ...(spec.runtimeClassName === undefined ? {} : { runtimeClassName: spec.runtimeClassName }),
          // For credentials: the supervisor reads those Secrets that a namespace grants. Executors cannot read the token's file.
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: Math.ceil(graceMs / 1000),
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets }),
          ...placementOf(spec, selector),
          containers: [{
            name: 'runner',
            image: spec.image ?? defaults.image,
            ...(defaults.imagePullPolicy === undefined ? {} : { imagePullPolicy: defaults.imagePullPolicy }),
            args: ['runner/main.ts'],
            env: environment(pool, defaults, graceMs),
            ports: [{ name: 'health', containerPort: PORT, protocol: 'TCP' }],
            resources: resourcesOf(spec),
            securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
            startupProbe: { httpGet: { path: '/healthz', port: 'health' }, periodSeconds: 2, failureThreshold: 90 },
            livenessProbe: { httpGet: { path: '/healthz', port: 'health' }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
            readinessProbe: { httpGet: { path: '/readyz', port: 'health' }, periodSeconds: 2, timeoutSeconds: 2 },
            volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
          }],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
    },
  };
}

/** Quantities as text, which is what the API server makes of them. */
function resourcesOf({ resources = DEFAULT_RESOURCES }: RunnerPoolSpec): { requests?: Record<string, string>; limits?: Record<string, string> } {
  const text = (amounts: Record<string, string | number>) => Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
  return {
    ...(resources.requests === undefined ? {} : { requests: text(resources.requests) }),
    ...(resources.limits === undefined ? {} : { limits: text(resources.limits) }),
  };
}

function placementOf({ placement = {} }: RunnerPoolSpec, matchLabels: Record<string, string>): object {
  const { topologySpreadConstraints, ...rest } = placement;
  if (topologySpreadConstraints === undefined) return rest;
  return { ...rest, topologySpreadConstraints: topologySpreadConstraints.map((constraint) => ({ ...constraint, labelSelector: { matchLabels } })) };
}

function environment({ spec, metadata }: RunnerPool, defaults: RunnerDefaults, graceMs: number) {
  const executors = spec.executors ?? DEFAULT_EXECUTORS;
  const limit = (spec.resources ?? DEFAULT_RESOURCES).limits?.['memory'];
  const bytes = limit === undefined ? undefined : memoryBytes(limit);
  const supervisorBytes = SUPERVISOR_BYTES + (defaults.objectStorage === undefined ? 0 : OBJECT_STORAGE_BYTES);
  const executorMib = bytes === undefined ? undefined : Math.max(64, Math.floor((bytes - supervisorBytes) / executors / MIB));
  return [
    { name: 'MILLRACE_DATABASE_URL', valueFrom: { secretKeyRef: { name: defaults.databaseSecret.name, key: defaults.databaseSecret.key } } },
    ...(defaults.objectStorage?.env ?? []),
    { name: 'MILLRACE_POOL', value: metadata.name },
    { name: 'MILLRACE_EXECUTORS', value: String(executors) },
    { name: 'MILLRACE_EXECUTOR_CONCURRENCY', value: String(slotsOf(spec) / executors) },
    ...(executorMib === undefined ? [] : [{ name: 'MILLRACE_EXECUTOR_MEMORY_MB', value: String(executorMib) }]),
    { name: 'MILLRACE_GRACE_MS', value: String(Math.max(1000, graceMs - GRACE_MARGIN_MS)) },
    { name: 'MILLRACE_BASE_URL', value: defaults.baseUrl },
    { name: 'MILLRACE_LOG_LEVEL', value: defaults.logLevel },
    ...(defaults.tracing ?? []),
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    ...(spec.env ?? []),
  ];
}
