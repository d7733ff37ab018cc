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
  compensated?: number;
}

export function summarize(run: NodeRun): NodeRunSummary {
  const { node, runIndex, status, startedAt, durationMs, error, cached, compensation, droppedItems } = run;
  const items = droppedItems ? [...droppedItems] : run.outputs.map((each) => each?.length ?? null);
  return { node, runIndex, status, startedAt, durationMs, items, ...(error && { error }), ...(cached && { cached }), ...(compensation && { compensation }) };
}

/** Node runs as they are stored: with or without their items. Throws PayloadRefused. */
export async function encodeRuns(runs: readonly NodeRun[], kept: Exclude<Keep, 'None'>): Promise<Buffer> {
  return encodePayload(kept === Keep.All ? runs : runs.map(summarize));
}

export function countRuns(runs: readonly NodeRun[]): { succeeded: number; failed: number } {
  const failed = runs.filter(({ status }) => status === 'error').length;
  return { succeeded: runs.length - failed, failed };
}

/** Words of an error that are kept for searching: far more than a message has before it repeats itself. */
const MAX_WORDS = 200;
const MAX_WORD_LENGTH = 100;

/** The words of a text, as they are stored and searched for: lower case, each once. */
export function wordsOf(text: string): string[] {
  const words = text.slice(0, 20_000).toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words.map((word) => word.slice(0, MAX_WORD_LENGTH)))].slice(0, MAX_WORDS);
}

/** What an execution that ended with an error is found by, joined by blanks; undefined of others. */
export function searchableOf(error: Pick<ErrorRecord, 'code' | 'message' | 'node'> | undefined): string | undefined {
  if (error === undefined) return undefined;
  const words = wordsOf(`${error.code} ${error.node ?? ''} ${error.message}`);
  return words.length === 0 ? undefined : words.join(' ');
}
