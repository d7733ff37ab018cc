import type { RunnerReport } from '../../../store/queue.ts';
import type { Pod } from '../../kube/builtin.ts';

/** Kubernetes deletes the pods of a ReplicaSet that cost least first, among those that are ready. */
export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const GOES = '-1';
const STAYS = '0';

/** The deletion costs to set before a pool gets `fewer` runners less: the idlest go. Only what has to change. */
export function deletionCosts(pods: readonly Pod[], reports: readonly RunnerReport[], fewer: number): { pod: Pod; cost: string }[] {
  const busy = new Map<string, number>();
  for (const report of reports) {
    const pod = report.name.split('/', 1)[0] ?? '';
    busy.set(pod, (busy.get(pod) ?? 0) + report.busy);
  }
  const idlest = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .sort((a, b) => (busy.get(a.metadata.name) ?? 0) - (busy.get(b.metadata.name) ?? 0));
  return idlest.flatMap((pod, index) => {
    const cost = index < fewer ? GOES : STAYS;
    return (pod.metadata.annotations?.[DELETION_COST] ?? STAYS) === cost ? [] : [{ pod, cost }];
  });
}
