import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import { asList, asText } from '../json-value.ts';
import { parseMoment } from '../moment.ts';
import { numberParameter, textParameter } from '../parameter-value.ts';

/** Static data keeps the history under this key. */
const KEY = 'deduplication';
const DEFAULT_SIZE = 10_000;

function store(context: NodeContext): JsonObject {
  return context.staticData(context.parameter('options.scope', 0, 'node') === 'workflow' ? 'global' : 'node');
}

/** Items whose value no earlier execution had; output 1 has the others. */
function unseenValues(context: NodeContext): [Item[], Item[]] {
  const data = store(context);
  const size = Math.max(1, numberParameter(context, 'options.historySize', 0, DEFAULT_SIZE));
  const history = new Set(asList(data[KEY]).map(asText));
  const outputs: [Item[], Item[]] = [[], []];
  for (const [index, item] of context.input().entries()) {
    const value = textParameter(context, 'dedupeValue', index);
    outputs[history.has(value) ? 1 : 0].push(item);
    // Anew at the end: what is seen often is forgotten last.
    history.delete(value);
    history.add(value);
  }
  data[KEY] = [...history].slice(-size);
  return outputs;
}

/** Items above the largest number, or after the latest date, of earlier executions. */
function above(context: NodeContext, valueOf: (index: number) => number): [Item[], Item[]] {
  const data = store(context);
  const stored = typeof data[KEY] === 'number' ? data[KEY] : Number.NEGATIVE_INFINITY;
  const outputs: [Item[], Item[]] = [[], []];
  let largest = stored;
  for (const [index, item] of context.input().entries()) {
    const value = valueOf(index);
    outputs[value > stored ? 0 : 1].push(item);
    largest = Math.max(largest, value);
  }
  if (largest > stored) data[KEY] = largest;
  return outputs;
}

function numberAt(context: NodeContext, itemIndex: number): number {
  const value = context.parameter('incrementalDedupeValue', itemIndex);
  const number = Number(value ?? Number.NaN);
  if (!Number.isNaN(number)) return number;
  throw new WorkflowError('FieldType', `'${asText(value)}' of item ${itemIndex} is not a number.`, { itemIndex, parameter: 'incrementalDedupeValue' });
}

function dateAt(context: NodeContext, itemIndex: number): number {
  const value = context.parameter('dateDedupeValue', itemIndex);
  const moment = parseMoment(value);
  if (moment) return moment.toMillis();
  throw new WorkflowError('InvalidDate', `'${asText(value)}' of item ${itemIndex} is not a date.`, { itemIndex, parameter: 'dateDedupeValue' });
}

/** New items on output 0; the ones seen before are recorded behind it. */
export function removeSeen(context: NodeContext): Item[][] {
  switch (textParameter(context, 'logic', 0, 'removeItemsWithAlreadySeenKeyValues')) {
    case 'removeItemsUpToStoredIncrementalKey': return above(context, (index) => numberAt(context, index));
    case 'removeItemsUpToStoredDate': return above(context, (index) => dateAt(context, index));
    default: return unseenValues(context);
  }
}

export function clearHistory(context: NodeContext): Item[][] {
  delete store(context)[KEY];
  return [[...context.input()]];
}
