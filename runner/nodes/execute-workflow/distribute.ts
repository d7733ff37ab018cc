import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import { estimateBytes } from '../../engine/item-size.ts';
import type { NodeContext, NodeOutput } from '../../engine/node-type.ts';
import type { DistributePolicy, PartitionResult } from '../../engine/partitions.ts';
import { errorItem } from '../item-errors.ts';
import { asText } from '../json-value.ts';
import { stableKey } from '../stable-key.ts';

/** Parts of one run of a node. */
const MAX_PARTS = 10_000;
const MAX_PARALLEL = 10;

/** Indexes of the items of each part, in the order of their first items. */
export function partsOf(items: readonly Item[], { count, bytes, key }: DistributePolicy, keyOf: (template: string, index: number) => unknown): number[][] {
  const indexes = items.map((_, index) => index);
  if (key !== undefined) return [...Map.groupBy(indexes, (index) => stableKey(keyOf(key, index))).values()];
  const parts: number[][] = [];
  let size = Infinity;
  for (const index of indexes) {
    const weight = bytes === undefined ? 1 : estimateBytes(items.slice(index, index + 1));
    if (size + weight > (bytes ?? count ?? 1)) {
      parts.push([]);
      size = 0;
    }
    size += weight;
    parts.at(-1)?.push(index);
  }
  return parts;
}

function allowedFailures({ onFailure = 'Fail', maxFailures, maxFailedPercent }: DistributePolicy, parts: number): number {
  if (maxFailures !== undefined) return Math.min(maxFailures, parts);
  if (maxFailedPercent !== undefined) return Math.floor((parts * maxFailedPercent) / 100);
  return onFailure === 'Fail' ? 0 : parts;
}

/** Calls the workflow once for each part of the items, in executions of their own, and puts together what they give. */
export async function distributed(context: NodeContext, policy: DistributePolicy, { workflow, items }: { workflow: string; items: readonly Item[] }): Promise<NodeOutput> {
  const parts = partsOf(items, policy, (template, index) => context.evaluate(template, index));
  if (parts.length > MAX_PARTS) {
    throw new WorkflowError('TooManyPartitions', `${parts.length} parts are more than the ${MAX_PARTS} that are allowed. Put more items into each.`, { nonRetryable: true });
  }
  const maxFailures = allowedFailures(policy, parts.length);
  const results = await context.runPartitions({
    workflow, maxParallel: policy.maxParallel ?? MAX_PARALLEL, maxFailures,
    parts: parts.map((indexes) => indexes.flatMap((index) => items[index] ?? [])),
  });
  if (!results) return { wait: { on: 'partitions' } };
  const failures = results.flatMap((result, position) => ('error' in result ? [{ position, error: result.error }] : []));
  const [first] = failures;
  if (first && failures.length > maxFailures) {
    throw new WorkflowError('PartitionsFailed', `${failures.length} of ${parts.length} parts failed, and ${maxFailures} may. The first is part ${first.position}: ${first.error.code}: ${asText(first.error.message)}`, { nonRetryable: true });
  }
  return together(context, parts, results);
}

/** Where a part gives as many items as it got, each belongs to one of the input; by key those come back in the input's order. */
function together(context: NodeContext, parts: readonly number[][], results: readonly PartitionResult[]): Item[][] {
  const outputs: Item[][] = [[]];
  let isOneToOne = true;
  for (const [position, result] of results.entries()) {
    const indexes = parts[position] ?? [];
    const made = 'error' in result
      ? [indexes.map((index) => failedItem(context, new WorkflowError(result.error.code, result.error.message), index))]
      : result.outputs.map((items) => linked(items, indexes));
    isOneToOne &&= made.length === 1 && made[0]?.length === indexes.length;
    for (const [output, items] of made.entries()) {
      while (outputs.length <= output) outputs.push([]);
      for (const item of items) outputs[output]?.push(item);
    }
  }
  return isOneToOne ? [inOrder(outputs[0] ?? [], parts.flat())] : outputs;
}

function inOrder(items: readonly Item[], indexes: readonly number[]): Item[] {
  const ordered: Item[] = [];
  for (const [place, index] of indexes.entries()) {
    const item = items[place];
    if (item) ordered[index] = item;
  }
  return ordered;
}

function failedItem(context: NodeContext, error: WorkflowError, index: number): Item {
  const failed = errorItem(error, index);
  return { ...failed, json: { ...context.input()[index]?.json, ...failed.json } };
}

function linked(items: readonly Item[], indexes: readonly number[]): Item[] {
  const [only] = indexes;
  if (items.length === indexes.length) return items.map((item, place) => ({ ...item, pairedItem: { item: indexes[place] ?? 0 } }));
  if (indexes.length === 1 && only !== undefined) return items.map((item) => ({ ...item, pairedItem: { item: only } }));
  return [...items];
}
