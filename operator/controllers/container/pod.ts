import type { ContainerFields, ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';
import { podName } from '../../../store/pod-steps.ts';
import type { PodStep } from '../../../store/pod-steps.ts';
import type { Pod } from '../../kube/builtin.ts';
import type { Draft, OwnerReference } from '../../kube/index.ts';
import { MANAGED_BY, label } from '../labels.ts';
import { artifactParts } from './artifact-containers.ts';
import type { ArtifactParts, ArtifactSettings } from './artifact-containers.ts';

/** Labels and annotation of pods of container nodes. */
export const podLabel = {
  step: 'millrace.dev/pod-step',
  execution: label.execution,
  /** Namespace of the operator: several installations may share a cluster. */
  installation: 'millrace.dev/installation',
  /** Annotation. */
  node: 'millrace.dev/node',
} as const;

export const MAIN = 'main';
/** Of images that are made for root, or name no user. */
const NOBODY = 65_532;
const MAX_LABEL = 63;

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];
type Wanted = Pick<PodStep, 'id' | 'namespace' | 'workflow' | 'node' | 'executionId' | 'attempt' | 'deadlineMs'>;

export interface PodContext {
  installation: string;
  owner: OwnerReference;
  artifacts?: ArtifactSettings | undefined;
}

/** The pod of one try, such that a namespace with the restricted profile admits it. */
export function buildPod(step: Wanted, spec: ContainerSpec, { installation, owner, artifacts }: PodContext): Draft<Pod> {
  const { serviceAccountName, runAsUser = NOBODY } = spec;
  const files = artifactParts(spec, artifacts);
  const seconds = deadlineSeconds(spec.timeoutSeconds, step.deadlineMs);
  // What admission would fill in; what is checked before does not know.
  const account = serviceAccountName ?? (files && 'default');
  return {
    metadata: {
      name: podName(step), namespace: step.namespace, ownerReferences: [owner], annotations: { [podLabel.node]: step.node },
      labels: {
        [label.managedBy]: MANAGED_BY, [label.component]: 'container', [podLabel.step]: step.id, [podLabel.execution]: step.executionId,
        [podLabel.installation]: installation, ...(step.workflow.length <= MAX_LABEL && { [label.workflow]: step.workflow }),
      },
    },
    spec: {
      restartPolicy: 'Never',
      enableServiceLinks: false,
      // A service account is named on purpose, to use it.
      automountServiceAccountToken: serviceAccountName !== undefined,
      securityContext: { runAsNonRoot: true, runAsUser, runAsGroup: runAsUser, fsGroup: runAsUser, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [container(MAIN, { ...withIdentity(spec, step), ...mountsOf(spec, files) })],
      ...(seconds !== undefined && { activeDeadlineSeconds: seconds }),
      ...(files?.graceSeconds !== undefined && { terminationGracePeriodSeconds: files.graceSeconds }),
      ...(account !== undefined && { serviceAccountName: account }),
      ...besides(spec, files),
      ...placement(spec),
    },
  };
}

/** What a pod has besides its main container. */
function besides({ sidecars = [], volumes = [] }: ContainerSpec, files: ArtifactParts | undefined): Pick<PodSpec, 'initContainers' | 'volumes'> {
  const initContainers = [
    // Kubernetes' own kind of sidecar: started before the main container, ended after it. The way to the api may be through one.
    ...sidecars.map(({ name, ...fields }): Container => ({ ...container(name, fields), restartPolicy: 'Always' })), ...(files?.initContainers ?? []),
  ];
  const all = [...volumes, ...(files?.volumes ?? [])];
  return { ...(initContainers.length > 0 && { initContainers }), ...(all.length > 0 && { volumes: all }) };
}

function placement({ imagePullSecrets, nodeSelector, tolerations }: ContainerSpec): Pick<PodSpec, 'imagePullSecrets' | 'nodeSelector' | 'tolerations'> {
  return {
    ...(imagePullSecrets && { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
    ...(nodeSelector && { nodeSelector }),
    ...(tolerations && { tolerations }),
  };
}

function container(name: string, fields: ContainerFields): Container {
  const { image, command, args, workingDir, env, resources, volumeMounts, imagePullPolicy } = fields;
  return {
    name, image,
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    ...(command && { command }), ...(args && { args }), ...(workingDir !== undefined && { workingDir }), ...(env && { env }),
    ...(resources && { resources }), ...(volumeMounts && { volumeMounts }), ...(imagePullPolicy && { imagePullPolicy }),
  };
}

/** The command may tell its tries apart, and two of the same work from each other. What the node sets itself comes last and counts. */
function withIdentity(spec: ContainerSpec, { executionId, id, attempt }: Wanted): ContainerFields {
  const own = { MILLRACE_EXECUTION_ID: executionId, MILLRACE_IDEMPOTENCY_KEY: id, MILLRACE_ATTEMPT: String(attempt) };
  return { ...spec, env: [...Object.entries(own).map(([name, value]) => ({ name, value })), ...(spec.env ?? [])] };
}

function mountsOf({ volumeMounts = [] }: ContainerSpec, files: ArtifactParts | undefined): Pick<ContainerFields, 'volumeMounts'> {
  const all = [...volumeMounts, ...(files?.mainMounts ?? [])];
  return all.length > 0 ? { volumeMounts: all } : {};
}

function deadlineSeconds(timeout: number | undefined, deadlineMs: number | undefined): number | undefined {
  if (deadlineMs === undefined) return timeout;
  const left = Math.max(1, Math.ceil(deadlineMs / 1000));
  return timeout === undefined ? left : Math.min(timeout, left);
}
