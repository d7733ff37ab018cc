import type { AppsDeployment } from '../../kube/builtin.ts';
import type { Mark } from '../../kube/conditions.ts';

/** What a pool's Deployment says about its runners. `stalled`: nobody but a person can help. */
export interface Availability extends Mark {
  stalled: boolean;
}

type DeploymentStatus = NonNullable<AppsDeployment['status']>;

/** Judges by the Deployment alone, as `kubectl rollout status` does. */
export function availabilityOf({ metadata, status = {} }: AppsDeployment, wanted: number): Availability {
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return starting('the Deployment has not been taken up yet');
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status;
  if (updatedReplicas >= wanted && availableReplicas >= wanted && replicas === wanted) {
    return { status: 'True', reason: 'RunnersAvailable', message: wanted === 1 ? '1 runner takes work' : `${wanted} runners take work`, stalled: false };
  }
  const progress = `${Math.min(updatedReplicas, availableReplicas)} of ${wanted} runners are available`;
  return troubleOf(status, progress, metadata.namespace ?? '') ?? starting(progress);
}

function troubleOf({ conditions = [] }: DeploymentStatus, progress: string, namespace: string): Availability | undefined {
  const refused = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  if (refused) return stalled('PodsRefused', `pods cannot be created: ${refused.message ?? 'no reason given'}`);
  if (!conditions.some(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded')) return undefined;
  return stalled('RunnersNotStarting', `${progress} and there is no progress; look at the pods: kubectl -n ${namespace} describe pods -l app.kubernetes.io/component=runner`);
}

function starting(message: string): Availability {
  return { status: 'Unknown', reason: 'RunnersStarting', message, stalled: false };
}

function stalled(reason: string, message: string): Availability {
  return { status: 'False', reason, message, stalled: true };
}
