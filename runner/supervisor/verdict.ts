import type { ErrorRecord } from '../engine/item.ts';
import type { Assignment } from '../executor/protocol.ts';
import { ExitCause, type ExecutorExit } from './executor-process.ts';

export interface Verdict {
  /** The execution that brought the executor down. */
  failed?: { assignment: Assignment; failure: ErrorRecord };
  /** Executions that run again, alone, so that the next crash has one possible author. */
  suspects: Assignment[];
}

const REASONS: Record<Exclude<ExitCause, 'Stopped'>, Pick<ErrorRecord, 'code' | 'message'>> = {
  Stalled: { code: 'ExecutionStalled', message: 'The node kept its executor busy without a pause for longer than the pool allows. Look for an endless loop, or process fewer items at a time.' },
  MemoryLimit: { code: 'MemoryLimitExceeded', message: 'The execution used more memory than the pool allows for an executor. Process fewer items at a time, or raise the pool\'s memory limit.' },
  Crashed: { code: 'ExecutorCrashed', message: 'The executor process ended while it ran this node, most often because the JavaScript heap was full.' },
};

/**
 * Who is to blame for the end of an executor. A stall has one author: the execution whose code ran last. Memory is
 * shared, so when several executions were running nobody can be blamed yet and each runs again alone.
 */
export function verdict(exit: ExecutorExit, alone: boolean): Verdict {
  const { cause, running, current } = exit;
  if (cause === ExitCause.Stopped) return { suspects: running };
  const last = running.find((assignment) => assignment.executionId === current?.executionId);
  const guilty = alone || running.length === 1 ? running[0] : cause === ExitCause.Stalled ? last : undefined;
  if (!guilty) return { suspects: running };
  const node = last === guilty ? current?.node : undefined;
  return {
    failed: { assignment: guilty, failure: { ...REASONS[cause], ...(node === undefined ? {} : { node }) } },
    suspects: running.filter((assignment) => assignment !== guilty),
  };
}
