import type { Pod } from '../../kube/builtin.ts';
import { FETCH } from './artifact-containers.ts';
import { transferFailure } from './artifact-outcome.ts';
import { FILES_VOLUME } from './artifact-volumes.ts';
import type { PodOutcome } from './outcome.ts';
import { MAIN } from './pod.ts';

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];

/** Reasons by which kubelets and controllers end pods that did nothing wrong, or turn them away. */
const INTERRUPTIONS: ReadonlySet<string> = new Set([
  'Evicted', 'NodeLost', 'Preempting', 'Preempted', 'Shutdown', 'NodeShutdown', 'Terminated', 'UnexpectedAdmissionError', 'NodeAffinity', 'OutOfcpu', 'OutOfmemory', 'OutOfpods',
  'OutOfephemeral-storage',
]);

const STUCK: Readonly<Record<string, { code: 'ImageUnavailable' | 'ContainerNotStarted'; final?: true }>> = {
  ErrImagePull: { code: 'ImageUnavailable' }, ImagePullBackOff: { code: 'ImageUnavailable' }, ErrImageNeverPull: { code: 'ImageUnavailable' },
  InvalidImageName: { code: 'ImageUnavailable', final: true },
  CreateContainerConfigError: { code: 'ContainerNotStarted' }, CreateContainerError: { code: 'ContainerNotStarted' }, RunContainerError: { code: 'ContainerNotStarted' },
  CrashLoopBackOff: { code: 'ContainerNotStarted' },
};

/** Whether no container of it will run again. */
export function isTerminal({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** `now`: milliseconds since the epoch. */
export function outcomeOf(pod: Pod, now: number): PodOutcome {
  const main = pod.status?.containerStatuses?.find(({ name }) => name === MAIN);
  switch (pod.status?.phase) {
    case 'Succeeded':
      return { kind: 'Succeeded', message: main?.state?.terminated?.message ?? '' };
    case 'Failed':
      return failureOf(pod, main);
    default:
      return stuckOf(pod, now) ?? { kind: 'Running' };
  }
}

function failureOf(pod: Pod, main: ContainerStatus | undefined): PodOutcome {
  const limit = limitFailure(pod.status);
  if (limit) return limit;
  const interruption = interruptionOf(pod);
  const fetched = interruption === undefined ? endOf(pod, FETCH) : undefined;
  if (fetched && fetched.exitCode !== 0) return transferFailure(fetched);
  const ended = main?.state?.terminated;
  // It failed, but its command did not: a kubelet that came back, or lost track of it.
  if (interruption !== undefined || !ended || ended.exitCode === 0) return { kind: 'Interrupted', reason: interruption ?? pod.status?.reason ?? 'PodFailed' };
  return commandFailure(ended);
}

/** A pod that used more than it may of what it was given. */
function limitFailure({ reason, message = '' }: NonNullable<Pod['status']> = {}): PodOutcome | undefined {
  if (reason === 'DeadlineExceeded') {
    return { kind: 'Failed', code: 'ContainerTimeout', message: 'The pod took longer than it may. Raise timeoutSeconds or the timeout of the workflow, or make it do less.' };
  }
  // The kubelet names the volume in its message, and nowhere else.
  if (reason !== 'Evicted' || !message.includes(`"${FILES_VOLUME}"`)) return undefined;
  return { kind: 'Failed', code: 'ArtifactTooLarge', message: 'The files of the pod are larger than their volume. Have containers.artifacts.volumeSize raised, or use a volume of your own.' };
}

function commandFailure({ exitCode, reason }: { exitCode: number; reason?: string }): PodOutcome {
  if (reason === 'OOMKilled') return { kind: 'Failed', code: 'ContainerOutOfMemory', message: 'The container used more memory than its limit. Raise resources.limits.memory.', exitCode };
  return { kind: 'Failed', code: 'ContainerFailed', message: `The command ended with exit code ${exitCode}. The description holds the end of its log.`, exitCode };
}

/** How a container that moves files ended, if it did. */
export function endOf({ status }: Pod, container: string): NonNullable<ContainerStatus['state']>['terminated'] {
  return status?.initContainerStatuses?.find(({ name }) => name === container)?.state?.terminated;
}

/** What ended a pod from outside, if anything did. */
function interruptionOf({ metadata, status }: Pod): string | undefined {
  const disruption = status?.conditions?.find(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True');
  if (disruption) return disruption.reason ?? 'DisruptionTarget';
  if (INTERRUPTIONS.has(status?.reason ?? '')) return status?.reason;
  return metadata.deletionTimestamp === undefined ? undefined : 'Deleted';
}

/** A pod that waits for a node is not stuck: a cluster may take long to make room. */
function stuckOf({ metadata, status }: Pod, now: number): PodOutcome | undefined {
  for (const { name, state } of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const { reason = '', message = '' } = state?.waiting ?? {};
    const known = STUCK[reason];
    if (!known) continue;
    const sinceMs = now - Date.parse(metadata.creationTimestamp ?? '');
    return { kind: 'Stuck', code: known.code, final: known.final === true, sinceMs, message: `Container ${name} does not start: ${reason}${message === '' ? '' : `: ${message.slice(0, 500)}`}` };
  }
  return undefined;
}
