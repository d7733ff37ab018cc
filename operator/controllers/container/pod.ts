import type { ContainerFields, ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';
import type { PodStep } from '../../../store/pod-steps.ts';
import type { Pod } from '../../kube/builtin.ts';
import type { Draft, OwnerReference } from '../../kube/index.ts';
import { MANAGED_BY, label } from '../labels.ts';

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
const MAX_WORKFLOW_IN_NAME = 30;

type Container = NonNullable<Pod['spec']>['containers'][number];
type Wanted = Pick<PodStep, 'id' | 'namespace' | 'workflow' | 'node' | 'executionId' | 'attempt' | 'deadlineMs'>;

export interface PodContext {
  installation: string;
  owner: OwnerReference;
}

/** The same for the same try, whoever makes it: a second create is a conflict and no second pod. */
export function podName({ workflow, id, attempt }: Pick<PodStep, 'workflow' | 'id' | 'attempt'>): string {
  return `${workflow.slice(0, MAX_WORKFLOW_IN_NAME).replace(/[-.]+$/, '')}-${id}-${attempt}`;
}

/** The pod of one try, such that a namespace with the restricted profile admits it. */
export function buildPod(step: Wanted, spec: ContainerSpec, { installation, owner }: PodContext): Draft<Pod> {
  const { sidecars = [], serviceAccountName, nodeSelector, tolerations, volumes, imagePullSecrets, runAsUser = NOBODY } = spec;
  const seconds = deadlineSeconds(spec.timeoutSeconds, step.deadlineMs);
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
      containers: [container(MAIN, withIdentity(spec, step))],
      // Kubernetes' own kind of sidecar: started before the main container, ended after it.
      ...(sidecars.length > 0 && { initContainers: sidecars.map(({ name, ...fields }): Container => ({ ...container(name, fields), restartPolicy: 'Always' })) }),
      ...(seconds !== undefined && { activeDeadlineSeconds: seconds }),
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      ...(volumes && { volumes }),
      ...(imagePullSecrets && { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
      ...(nodeSelector && { nodeSelector }),
      ...(tolerations && { tolerations }),
    },
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

function deadlineSeconds(timeout: number | undefined, deadlineMs: number | undefined): number | undefined {
  if (deadlineMs === undefined) return timeout;
  const left = Math.max(1, Math.ceil(deadlineMs / 1000));
  return timeout === undefined ? left : Math.min(timeout, left);
}
