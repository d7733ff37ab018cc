import { ExecutionStatus } from '../engine/node-run.ts';
import type { Checkpoint, CommittedRun, Ending, ExecutionResult, NodeRun } from '../engine/node-run.ts';
import type { ErrorRecord } from '../engine/item.ts';
import type { Claim } from '../../store/lease.ts';

/** Whether an execution has done something that a compensation is there to undo. */
export function isUndoable(checkpoints: readonly Checkpoint[]): boolean {
  return checkpoints.some(({ runs }) => runs.some(({ undoable }) => undoable));
}

/** How an execution ends that brought an executor down again when it was only to be ended: with what is durable of it. */
export function givenUp(checkpoints: readonly Checkpoint[], failure: ErrorRecord): ExecutionResult {
  const lastNode = failure.node === undefined ? {} : { lastNode: failure.node };
  if (!isUndoable(checkpoints)) return { status: ExecutionStatus.Failed, error: failure, runs: [], ...lastNode };
  const runs = checkpoints.flatMap((checkpoint) => checkpoint.runs.filter(({ scope }) => scope === undefined)).map(recordOf);
  const error = { ...failure, code: 'CompensationFailed', message: `What the execution did may not all be undone: its executor went down over it. Look at its node runs, and undo the rest by hand. ${failure.code}: ${failure.message}` };
  return { status: ExecutionStatus.Failed, error, runs, ...lastNode };
}

/** The run without what it left behind for a replay. */
function recordOf(committed: CommittedRun): NodeRun {
  const { undoable: _, state: __, staticData: ___, otherStaticData: ____, responded: _____, answering: ______, ...run } = committed;
  return run;
}

export const CANCELED: Ending = { status: ExecutionStatus.Canceled, error: { code: 'ExecutionCanceled', message: 'The execution was canceled.' } };
const LATE: Ending = { status: ExecutionStatus.Canceled, error: { code: 'ExecutionTimeout', message: 'The execution was over its timeout before a runner could go on with it.' } };

/** How an execution ended before it was claimed, if it did. */
export function endingOf({ canceled, remainingMs }: Pick<Claim, 'canceled' | 'remainingMs'>): { ending?: Ending } {
  if (canceled) return { ending: CANCELED };
  return remainingMs !== undefined && remainingMs <= 0 ? { ending: LATE } : {};
}
