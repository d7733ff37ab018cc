import { RunPhase } from '../../../crds/workflow-run.ts';
import type { WorkflowRunStatus } from '../../../crds/workflow-run.ts';
import { ExecutionStatus } from '../../../runner/engine/node-run.ts';
import type { Execution } from '../../../store/executions.ts';
import type { Mark } from '../../kube/conditions.ts';
import { timestamp } from '../../kube/clock.ts';

const PHASES: Readonly<Record<ExecutionStatus, RunPhase>> = {
  [ExecutionStatus.Queued]: RunPhase.Pending,
  [ExecutionStatus.Running]: RunPhase.Running,
  [ExecutionStatus.Waiting]: RunPhase.Waiting,
  [ExecutionStatus.Succeeded]: RunPhase.Succeeded,
  [ExecutionStatus.Failed]: RunPhase.Failed,
  [ExecutionStatus.Canceled]: RunPhase.Canceled,
};

/** Bytes of the failure's message that the status keeps; all of it is in the history. */
const MAX_MESSAGE = 1024;

export type RunReport = Pick<WorkflowRunStatus, 'phase' | 'executionId' | 'revision' | 'startedAt' | 'finishedAt' | 'nodes' | 'failure'>;

export function isFinal(phase: RunPhase | undefined): boolean {
  return phase === RunPhase.Succeeded || phase === RunPhase.Failed || phase === RunPhase.Canceled;
}

/** What the status says of an execution. */
export function reportOf(execution: Execution): RunReport {
  const { id, revision, status, startedAt, finishedAt, counts, compensated, error } = execution;
  return {
    phase: PHASES[status],
    executionId: id,
    revision,
    ...(startedAt === undefined ? {} : { startedAt: timestamp(startedAt) }),
    ...(finishedAt === undefined ? {} : { finishedAt: timestamp(finishedAt) }),
    ...(counts === undefined ? {} : { nodes: { succeeded: counts.succeeded, failed: counts.failed, ...(compensated === undefined ? {} : { compensated }) } }),
    ...(error === undefined ? {} : {
      failure: { ...(error.node === undefined ? {} : { node: error.node.slice(0, 128) }), code: error.code.slice(0, 128), message: error.message.slice(0, MAX_MESSAGE) },
    }),
  };
}

export interface RunConditions {
  complete: Mark;
  failed?: Mark;
  /** The run has ended without success: a person must decide what to do. */
  stalled?: { reason: string; message: string };
}

const UNDER_WAY: Partial<Record<RunPhase, string>> = {
  [RunPhase.Pending]: 'waits for a runner',
  [RunPhase.Running]: 'is being executed',
  [RunPhase.Waiting]: 'waits for a time, a call or a pod',
};

/** The conditions that follow from what is in the status, so that a finished run needs no other source. */
export function conditionsOf({ phase = RunPhase.Pending, executionId = '', nodes, failure }: RunReport): RunConditions {
  if (phase === RunPhase.Succeeded) {
    return { complete: { status: 'True', reason: 'Succeeded', message: `succeeded with ${nodes?.succeeded ?? 0} node runs` } };
  }
  if (phase === RunPhase.Canceled) return ended('ExecutionCanceled', failure?.message ?? 'canceled');
  if (phase === RunPhase.Failed) return ended('ExecutionFailed', `${describeFailure(failure)}; see millrace runs get ${executionId}`);
  return { complete: { status: 'Unknown', reason: phase, message: UNDER_WAY[phase] ?? '' } };
}

function describeFailure(failure: RunReport['failure']): string {
  if (failure === undefined) return 'failed for no recorded reason';
  const { node, code, message } = failure;
  return `${node === undefined ? '' : `node '${node}' failed: `}${message} (${code})`;
}

function ended(reason: string, message: string): RunConditions {
  return { complete: { status: 'False', reason, message }, failed: { status: 'True', reason, message }, stalled: { reason, message } };
}
