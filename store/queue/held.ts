import type { Lease } from '../lease.ts';

/**
 * The condition of every fenced statement on `queue q` and `input i`. A row that somebody is changing is waited for and compared again, so
 * a lease that ends at the same moment is either over before or ends after the write.
 */
export const HELD = "q.id = i.id AND q.fence = i.fence AND q.state = 'Running'";

export function leaseColumns(leases: readonly Lease[]): [string[], number[]] {
  return [leases.map(({ executionId }) => executionId), leases.map(({ fence }) => fence)];
}

/** Ids of the leases that are over: what a fenced statement did not report as held. */
export function lostIds(leases: readonly Lease[], held: readonly { id: string | null }[]): string[] {
  const ids = new Set(held.map(({ id }) => id));
  return leases.map(({ executionId }) => executionId).filter((id) => !ids.has(id));
}
