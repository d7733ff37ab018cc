import { undone } from './compensation.ts';
import { stopAt } from './deadline.ts';
import { durationMs } from './duration.ts';
import { WorkflowError } from './error.ts';
import { createExecution } from './execution.ts';
import type { Execution, ExecutionIdentity } from './execution.ts';
import type { ExecutionResult, StaticData } from './node-run.ts';
import { stopped } from './execution-end.ts';
import { planOnly } from './partial.ts';
import { runExecution } from './run-execution.ts';
import type { Start } from './run-execution.ts';

export interface InnerRun {
  identity: Omit<ExecutionIdentity, 'signal'>;
  start: Start;
  /** See `createExecution`. */
  stored?: StaticData;
  /** Milliseconds since the epoch, the same in every life: its time limit counts from here. */
  startedAt(): number;
}

/**
 * Runs another workflow inside an execution, with its own settings, time limit and static data. A result with status Waiting means that
 * the whole tree waits. Rejects when the outer execution must end.
 */
export async function runInside(outer: Execution, { identity, start, stored, startedAt }: InnerRun): Promise<{ execution: Execution; result: ExecutionResult }> {
  const { tree } = outer;
  const timeout = identity.workflow.settings?.timeout;
  const stop = new AbortController();
  const done = new AbortController();
  const signal = timeout === undefined ? outer.signal : AbortSignal.any([outer.signal, stop.signal]);
  const execution = createExecution(tree, { ...identity, signal }, { stored });
  if (timeout !== undefined && !execution.ending) stopAt(startedAt() + durationMs(timeout), tree.host, stop, done.signal);
  try {
    const result = await runToEnd(execution, start, outer, stop);
    return { execution, result: execution.only === undefined ? await undone(execution, result, outer.signal) : result };
  } finally {
    done.abort();
  }
}

/** The end of its own time is a result, that of the outer execution is not. */
async function runToEnd(execution: Execution, start: Start, outer: Execution, stop: AbortController): Promise<ExecutionResult> {
  try {
    return await runExecution(execution, start, execution.only === undefined ? undefined : planOnly(execution, execution.only, start.items));
  } catch (error) {
    outer.signal.throwIfAborted();
    if (!(error instanceof WorkflowError) || error !== stop.signal.reason) throw error;
    return stopped(execution, error);
  }
}
