import type { Lease } from '../lease.ts';

/**
 * A CTE of every fenced statement: locks the rows of `input` whose lease holds, in order, to the end of the transaction, so that nobody can
 * claim them between the comparison and the write. A row that is being changed is compared again afterwards.
 */
export const HELD = `
  held AS (
    SELECT q.id FROM millrace.queue q JOIN (SELECT DISTINCT id, fence FROM input) i ON q.id = i.id AND q.fence = i.fence
    WHERE q.state = 'Running' ORDER BY q.id FOR UPDATE OF q
  )`;

export function leaseColumns(leases: readonly Lease[]): [string[], number[]] {
  return [leases.map(({ executionId }) => executionId), leases.map(({ fence }) => fence)];
}
