import { WorkflowError } from '../../engine/error.ts';
import type { ErrorRecord, Item } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import type { PositionedResult } from '../../engine/partitions.ts';
import { errorItem } from '../item-errors.ts';

/** Items of the parts, one part after the other. Where a part gives as many as it got, each belongs to one of the input; by key those come back in the input's order. */
export function together(context: NodeContext, parts: readonly number[][], results: readonly PositionedResult[]): Item[][] {
  const outputs: Item[][] = [[]];
  let isOneToOne = true;
  for (const { position, result } of results) {
    const indexes = parts[position] ?? [];
    const made = 'error' in result ? [indexes.map((index) => failedItem(context, result.error, index))] : outputsIn(result).map((items) => linked(items, indexes));
    isOneToOne &&= made[0]?.length === indexes.length && made.slice(1).every((items) => items.length === 0);
    append(outputs, made);
  }
  return isOneToOne ? [inOrder(outputs[0] ?? [], parts.flat())] : outputs;
}

/** Items of the parts, one part after the other; of a part that failed one item that says so. */
export function inSequence(results: readonly PositionedResult[]): Item[][] {
  const outputs: Item[][] = [[]];
  for (const { position, result } of results) append(outputs, 'error' in result ? [[failedPart(position, result.error)]] : outputsIn(result));
  return outputs;
}

/** The item that stands for all items of a part that failed. */
export function failedPart(position: number, error: ErrorRecord): Item {
  const failed = errorItem(toError(error), 0);
  return { ...failed, json: { part: position, ...failed.json } };
}

function outputsIn(result: PositionedResult['result']): readonly (readonly Item[])[] {
  return 'outputs' in result ? result.outputs : [];
}

function append(outputs: Item[][], made: readonly (readonly Item[])[]): void {
  for (const [output, items] of made.entries()) {
    while (outputs.length <= output) outputs.push([]);
    for (const item of items) outputs[output]?.push(item);
  }
}

function inOrder(items: readonly Item[], indexes: readonly number[]): Item[] {
  const ordered: Item[] = [];
  for (const [place, index] of indexes.entries()) {
    const item = items[place];
    if (item) ordered[index] = item;
  }
  return ordered;
}

function failedItem(context: NodeContext, error: ErrorRecord, index: number): Item {
  const failed = errorItem(toError(error), index);
  return { ...failed, json: { ...context.input()[index]?.json, ...failed.json } };
}

function toError({ code, message }: ErrorRecord): WorkflowError {
  return new WorkflowError(code, message);
}

function linked(items: readonly Item[], indexes: readonly number[]): Item[] {
  const [only] = indexes;
  if (items.length === indexes.length) return items.map((item, place) => ({ ...item, pairedItem: { item: indexes[place] ?? 0 } }));
  if (indexes.length === 1 && only !== undefined) return items.map((item) => ({ ...item, pairedItem: { item: only } }));
  return [...items];
}
