import type { AnyObject, Condition } from './object.ts';

/** What Flux, Helm 4 and other users of kstatus take an object for. */
export const Health = { InProgress: 'InProgress', Failed: 'Failed', Current: 'Current', Terminating: 'Terminating' } as const;
export type Health = (typeof Health)[keyof typeof Health];

/**
 * The rules of kstatus (kubernetes-sigs/cli-utils) for kinds it has no own rules for. Note the last one: an object without a
 * Ready condition counts as healthy. Throws where kstatus reports an error.
 */
export function kstatus(object: AnyObject & { status?: unknown }): Health {
  if (object.metadata.deletionTimestamp !== undefined) return Health.Terminating;
  const status = (object.status ?? {}) as { observedGeneration?: unknown; conditions?: Condition[] };
  const { observedGeneration, conditions = [] } = status;
  if (observedGeneration !== undefined) {
    if (!Number.isInteger(observedGeneration)) throw new Error('status.observedGeneration is not an integer');
    if (observedGeneration !== object.metadata.generation) return Health.InProgress;
  }
  for (const { type, status: value } of conditions) {
    if (type === 'Reconciling' && value === 'True') return Health.InProgress;
    if (type === 'Stalled' && value === 'True') return Health.Failed;
  }
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready && ready.status !== 'True' ? Health.InProgress : Health.Current;
}
