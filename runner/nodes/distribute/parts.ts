import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import { estimateBytes } from '../../engine/item-size.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import type { DistributePolicy, DistributeSource, PartContent } from '../../engine/partitions.ts';
import { rangeSlices, slicesOfFile } from '../../engine/slice-items.ts';
import { binaryFrom } from '../binary-property.ts';
import { asText } from '../json-value.ts';
import { stableKey } from '../stable-key.ts';

/** Parts of one run of a node. */
const MAX_PARTS = 10_000;

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

/** Slices of the ranges or files that the incoming items name, one item after the other. Throws ParameterInvalid, BinaryMissing or InvalidFile. */
export async function* slicesOf(context: NodeContext, source: DistributeSource, count: number): AsyncGenerator<PartContent> {
  const { range, file, format = 'lines', delimiter } = source;
  for (const [index, item] of context.input().entries()) {
    const slices = range
      ? rangeSlices({ from: boundary(context, range.from ?? 0, { name: 'from', index }), to: boundary(context, range.to, { name: 'to', index }) }, count)
      : slicesOfFile(binaryFrom(item, file ?? 'data', index), { format, count, delimiter }, (...read) => context.binaries.read(...read));
    for await (const slice of slices) yield { slice };
  }
}

function boundary(context: NodeContext, value: number | string, { name, index }: { name: string; index: number }): number {
  const given = typeof value === 'string' ? context.evaluate(value, index) : value;
  const number = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (Number.isSafeInteger(number)) return number as number;
  throw new WorkflowError('ParameterInvalid', `'${asText(given)}' is not a whole number.`, { parameter: `distribute.from.range.${name}`, itemIndex: index, nonRetryable: true });
}

/** The same parts. Throws TooManyPartitions. */
export async function* bounded(parts: Iterable<PartContent> | AsyncIterable<PartContent>): AsyncGenerator<PartContent> {
  let count = 0;
  for await (const part of parts) {
    count += 1;
    if (count > MAX_PARTS) throw new WorkflowError('TooManyPartitions', `There are more than the ${MAX_PARTS} parts that are allowed. Put more items into each.`, { nonRetryable: true });
    yield part;
  }
}
