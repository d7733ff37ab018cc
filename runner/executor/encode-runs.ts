import { Keep, type SavePolicy } from '../../store/route.ts';
import type { EndedExecution } from '../../store/lease.ts';
import { StoreError } from '../../store/error.ts';
import { countRuns, encodeRuns } from '../../store/history.ts';
import { ExecutionStatus, type ExecutionResult } from '../engine/node-run.ts';

/**
 * The result with its node runs as they are stored. Encoding them here spares the supervisor, which serves many executors, from rebuilding items that it only
 * passes on, and large ones from crossing to it uncompressed. Runs that cannot be stored go as they are: the store knows what to do about them.
 */
export async function withEncodedRuns(result: ExecutionResult, save: SavePolicy): Promise<EndedExecution> {
  if (result.status === ExecutionStatus.Waiting) return { ...result, runs: [] };
  const kept = result.status === ExecutionStatus.Succeeded ? save.success : save.failure;
  try {
    const data = kept === Keep.None ? undefined : await encodeRuns(result.runs, kept);
    return { ...result, runs: [], encodedRuns: { counts: countRuns(result.runs), ...(data && { data }) } };
  } catch (error) {
    if (error instanceof StoreError) return result;
    throw error;
  }
}
