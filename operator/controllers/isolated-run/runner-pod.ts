import type { IsolatedExecution } from '../../../store/isolated.ts';
import { isolatedPool } from '../../../store/pool-name.ts';
import type { Pod } from '../../kube/builtin.ts';
import type { Draft } from '../../kube/index.ts';
import { ownerReference } from '../../kube/index.ts';
import { label } from '../labels.ts';
import type { RunnerPool } from '../resources.ts';
import { runnerDeployment, type RunnerDefaults } from '../runner-pool/deployment.ts';

/** Annotation: the claim that the pod is for. */
export const ATTEMPT_ANNOTATION = 'millrace.dev/attempt';
const RUN_ANNOTATION = 'millrace.dev/workflow-run';
const NAMESPACE_LABEL = 'millrace.dev/workflow-namespace';
const MAX_LABEL = 63;
/** Leaves room for an id and a number in the 63 characters of a host name. */
const MAX_WORKFLOW_IN_NAME = 20;

/** The same for the same claim, whoever makes it: a second create is a conflict and no second pod. */
export function podName({ workflow, id, attempt }: Pick<IsolatedExecution, 'workflow' | 'id' | 'attempt'>): string {
  return `${workflow.slice(0, MAX_WORKFLOW_IN_NAME).replace(/[-.]+$/, '').replaceAll('.', '-')}-${id}-${attempt}`;
}

/** A runner pod as the pool's Deployment would make it, but for this execution alone: one executor with one slot. */
export function runnerPod(pool: RunnerPool, execution: IsolatedExecution, defaults: RunnerDefaults): Draft<Pod> {
  const { template } = runnerDeployment({ ...pool, spec: { ...pool.spec, executors: 1, concurrency: 1 } }, 1, defaults).spec ?? {};
  const { containers = [], ...spec } = template?.spec ?? {};
  const own = { MILLRACE_POOL: isolatedPool(pool.metadata.name), MILLRACE_EXECUTION: execution.id };
  const env = Object.entries(own).map(([name, value]) => ({ name, value }));
  return {
    metadata: {
      name: podName(execution), namespace: pool.metadata.namespace ?? '', ownerReferences: [ownerReference(pool)],
      annotations: { [ATTEMPT_ANNOTATION]: String(execution.attempt), ...(execution.workflowRun !== undefined && { [RUN_ANNOTATION]: execution.workflowRun }) },
      labels: {
        ...template?.metadata?.labels, [label.execution]: execution.id, [NAMESPACE_LABEL]: execution.namespace,
        ...(execution.workflow.length <= MAX_LABEL && { [label.workflow]: execution.workflow }),
      },
    },
    spec: {
      ...spec, restartPolicy: 'Never',
      containers: containers.map((container) => ({ ...container, env: [...(container.env ?? []).filter(({ name }) => !Object.hasOwn(own, name)), ...env] })),
    },
  };
}
