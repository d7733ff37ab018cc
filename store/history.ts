import type { ErrorRecord } from '../runner/engine/item.ts';
import type { NodeRun } from '../runner/engine/node-run.ts';
import type { NodeRunSummary } from './executions.ts';

/** What every finished execution keeps, whatever else is kept. */
export interface Brief {
  error?: ErrorRecord;
  lastNode?: string;
  counts?: { succeeded: number; failed: number };
}

export function summarize(run: NodeRun): NodeRunSummary {
  const { node, runIndex, status, startedAt, durationMs, error } = run;
  return { node, runIndex, status, startedAt, durationMs, items: run.outputs.map((items) => items?.length ?? null), ...(error && { error }) };
}
