import { toErrorRecord, type WorkflowError } from './error.ts';
import type { Execution } from './execution.ts';
import { ExecutionStatus } from './node-run.ts';
import type { ExecutionResult, Suspension } from './node-run.ts';

/** The result of an execution that came to this end. */
export function ended(execution: Execution, status: ExecutionStatus, rest: Pick<ExecutionResult, 'error' | 'wait'>): ExecutionResult {
  const { runs } = execution.history;
  const lastNode = rest.error?.node ?? rest.wait?.node ?? execution.only ?? runs.at(-1)?.node;
  const staticData = execution.staticData.changes();
  return { status, ...rest, ...(lastNode === undefined ? {} : { lastNode }), runs, ...(staticData ? { staticData } : {}) };
}

/** How an execution ended that an error stopped: canceled or over its time, or failed for a reason no node could handle. */
export function stopped(execution: Execution, error: WorkflowError): ExecutionResult {
  const node = execution.running;
  const lastNode = node ?? execution.history.runs.at(-1)?.node;
  return {
    ...ended(execution, error === execution.signal.reason ? ExecutionStatus.Canceled : ExecutionStatus.Failed, { error: toErrorRecord(error, node === undefined ? {} : { node }) }),
    ...(lastNode === undefined ? {} : { lastNode }),
  };
}

/** What the result of a waiting execution says about its wait. */
export function waitOf({ node, wait: { until, on } }: Suspension): NonNullable<ExecutionResult['wait']> {
  return { node, ...(until === undefined ? {} : { until }), ...(on === undefined ? {} : { on }) };
}
