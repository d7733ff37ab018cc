import { durationMs } from '../../../crds/duration.ts';
import { keyOf } from '../../kube/index.ts';
import type { Cache, Clock, Key } from '../../kube/index.ts';
import type { WorkflowRun } from '../resources.ts';
import { isFinal } from './outcome.ts';

const DEFAULT_TTL = '24h';
const LOOK_MS = 5000;

/** Whether a finished run has been kept long enough. */
export function isExpired({ spec, status }: WorkflowRun, now: number): boolean {
  if (!isFinal(status?.phase) || status?.finishedAt === undefined) return false;
  return now >= Date.parse(status.finishedAt) + durationMs(spec.ttlAfterFinished ?? DEFAULT_TTL);
}

/** Reports the runs whose time has come, by looking through the cache now and then: no timer per run. Returns how to stop it. */
export function watchExpiries(runs: Pick<Cache<WorkflowRun>, 'list'>, clock: Clock, expired: (key: Key) => void): () => void {
  let cancel = clock.after(LOOK_MS, look);
  function look(): void {
    const now = clock.now();
    for (const run of runs.list()) if (isExpired(run, now)) expired(keyOf(run));
    cancel = clock.after(LOOK_MS, look);
  }
  return () => cancel();
}
