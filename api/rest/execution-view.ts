import type { NodeRun } from '../../runner/engine/node-run.ts';
import type { Execution as Stored, ExecutionDetail as StoredDetail, NodeRunSummary as StoredRun } from '../../store/executions.ts';
import type { Execution, ExecutionDetail, NodeRunData, NodeRunSummary } from './schemas.ts';

/** How stored executions are shown: times as RFC 3339, nothing that the API does not document. */
export function showExecution(stored: Stored): Execution {
  const { createdAt, startedAt, finishedAt, uid: _, ...rest } = stored;
  return {
    ...rest,
    createdAt: time(createdAt),
    ...(startedAt === undefined ? {} : { startedAt: time(startedAt) }),
    ...(finishedAt === undefined ? {} : { finishedAt: time(finishedAt) }),
  };
}

export function showDetail({ nodes, hasItems, ...stored }: StoredDetail): ExecutionDetail {
  return { ...showExecution(stored), nodes: nodes.map(showRun), hasItems };
}

export function showRun({ startedAt, ...run }: StoredRun): NodeRunSummary {
  return { ...run, startedAt: time(startedAt) };
}

export function showNodeRun({ startedAt, outputs, source, ...run }: NodeRun): NodeRunData {
  return {
    ...run,
    startedAt: time(startedAt),
    source: [...source],
    items: outputs.map((items) => items?.length ?? null),
    outputs: outputs.map((items) => (items ? items.map((item) => ({ ...item })) : null)),
  };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
