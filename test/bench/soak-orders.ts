import { setTimeout as delay } from 'node:timers/promises';
import type { NodeRun } from '../../runner/engine/node-run.ts';
import type { ExecutionDetail } from '../../store/executions.ts';
import type { Store } from '../../store/store.ts';
import { KINDS, NAMESPACE } from './soak-workflows.ts';

/** One call of a webhook. */
export interface Order {
  order: number;
  kind: string;
  input: number;
}

const ENDS: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Canceled']);
const ATTEMPT_MS = 20_000;
/** Nodes whose items name the order or the moment, and so differ between executions of equal inputs. */
const VOLATILE: ReadonlySet<string> = new Set(['Hook', 'Tell', 'Child']);

/**
 * Sends an order as a careful caller does: with an idempotency key, again until it is acknowledged. Answers how often it had to, or -1 when
 * nobody acknowledged it until the signal.
 */
export async function send({ order, kind, input }: Order, urls: readonly string[], signal: AbortSignal): Promise<number> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const url = `${urls[(order + attempt) % urls.length]}/webhook/${NAMESPACE}/${kind}`;
    const request = { method: 'POST', body: JSON.stringify({ order, input }), headers: { 'content-type': 'application/json', 'idempotency-key': `order-${order}` }, signal: AbortSignal.timeout(ATTEMPT_MS) };
    const answer = await fetch(url, request).then(async (response) => ({ status: response.status, text: await response.text() }), () => undefined);
    if (answer?.status === 200) return attempt;
    if (answer !== undefined && answer.status < 500 && answer.status !== 429) throw new Error(`Order ${order} was answered ${answer.status}: ${answer.text.slice(0, 300)}`);
    await delay(200 + 100 * Math.min(attempt, 8));
  }
  return -1;
}

/** What executions with equal inputs have in common. */
export function resultOf({ status, error, lastNode }: ExecutionDetail, runs: readonly NodeRun[]): string {
  const lines = runs.map(({ node, runIndex, status: end, outputs }) => {
    const items = outputs.map((output) => output?.map(({ json }) => ({ ...json, order: undefined })) ?? null);
    return `${node}#${runIndex} ${end} ${VOLATILE.has(node) ? '' : JSON.stringify(items)}`;
  });
  return [`${status} after ${lastNode ?? '?'} ${error === undefined ? '' : `${error.code}: ${error.message}`}`, ...lines.sort()].join('\n');
}

export interface Finished {
  /** By order: the results of its executions, of which there should be one. */
  results: Map<number, { kind: string; input: number; result: string }[]>;
  unfinished: number;
  /** Executions that were claimed more than once. */
  takenOver: number;
}

/** Waits, bounded, for all executions to end, and reads them. */
export async function finished(store: Store, withinMs: number): Promise<Finished> {
  const end = performance.now() + withinMs;
  for (;;) {
    const open = await Promise.all(['Queued', 'Running', 'Waiting'].map((status) => store.executions.list({ namespace: NAMESPACE, status: status as 'Queued', limit: 1 })));
    if (open.every(({ executions }) => executions.length === 0) || performance.now() > end) break;
    await delay(500);
  }
  const found: Finished = { results: new Map(), unfinished: 0, takenOver: 0 };
  for (const { kind } of KINDS) await readAll(store, kind, found);
  return found;
}

async function readAll(store: Store, kind: string, found: Finished): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await store.executions.list({ namespace: NAMESPACE, workflow: kind, limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id, status, attempts } of page.executions) {
      if (attempts > 1) found.takenOver += 1;
      if (!ENDS.has(status)) found.unfinished += 1;
      const [detail, runs] = await Promise.all([store.executions.get(id), store.executions.nodeRuns(id)]);
      const { order, input } = runs.find(({ node }) => node === 'Pick')?.outputs[0]?.[0]?.json ?? {};
      if (detail === undefined || typeof order !== 'number' || typeof input !== 'number') continue;
      found.results.set(order, [...(found.results.get(order) ?? []), { kind, input, result: resultOf(detail, runs) }]);
    }
    cursor = page.next;
  } while (cursor !== undefined);
}
