import type { ErrorRecord } from '../runner/engine/item.ts';
import type { NodeRun } from '../runner/engine/node-run.ts';
import type { NodeRunSummary } from './executions.ts';
import { encodePayload } from './payload.ts';
import { Keep } from './route.ts';

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

/** Node runs as they are stored: with or without their items. Throws PayloadRefused. */
export async function encodeRuns(runs: readonly NodeRun[], kept: Exclude<Keep, 'None'>): Promise<Buffer> {
  return encodePayload(kept === Keep.All ? runs : runs.map(summarize));
}

export function countRuns(runs: readonly NodeRun[]): { succeeded: number; failed: number } {
  const failed = runs.filter(({ status }) => status === 'error').length;
  return { succeeded: runs.length - failed, failed };
}
