/** Ends the name of the queue of a pool whose executions get a pod each. RunnerPools cannot be called so. */
export const ISOLATED = '+pod';

/** Where executions of this pool wait that run in pods of their own: claimed by nobody but the runner that was started for them. */
export function isolatedPool(pool: string): string {
  return `${pool}${ISOLATED}`;
}

export function isIsolated(pool: string): boolean {
  return pool.endsWith(ISOLATED);
}
