import type { ErrorRecord, Item, JsonObject } from './item.ts';
import type { Inputs } from './item-linking.ts';
import { Compat } from './workflow.ts';

type Outputs = (Item[] | null)[];

/**
 * Moves the items that failed from the regular outputs to the error output, each with the fields of the input item it was
 * made from. An item failed when it carries an error, or when its JSON is only `{error}` or `{error, message}`.
 */
export function routeErrorItems(outputs: Outputs, inputs: Inputs, errorOutput: number): Outputs {
  const failed: Item[] = [];
  const regular = outputs.slice(0, errorOutput).map((items) => items?.filter((item) => {
    if (!isErrorItem(item)) return true;
    failed.push(withInputFields(item, inputs));
    return false;
  }) ?? null);
  while (regular.length < errorOutput) regular.push([]);
  return [...regular, [...failed, ...(outputs[errorOutput] ?? [])]];
}

/** What goes on after a node failed as a whole although the workflow continues: its input, unchanged. */
export function outputsAfterFailure(inputs: Inputs, error: ErrorRecord, errorOutput: number | undefined, compat: Compat): Outputs {
  const items = inputs[0] ?? [];
  // n8n sends the items to the first output even when the node has an error output.
  if (errorOutput === undefined || compat !== Compat.Millrace) return [[...items]];
  const failed = items.map((item) => ({ ...item, json: { ...item.json, error: error.message } }));
  return [...Array.from({ length: errorOutput }, () => []), failed];
}

/** Whether any item failed: what millrace retries a node for, besides a throw. */
export function hasErrorItem(items: readonly Item[]): boolean {
  return items.some(isErrorItem);
}

/** Whether the first item has a truthy `error` field: what n8n retries a node for, besides a throw. */
export function startsWithErrorField(items: readonly Item[]): boolean {
  return Boolean(items[0]?.json?.['error']);
}

function isErrorItem({ json, error }: Item): boolean {
  if (error !== undefined) return true;
  if (!json?.['error']) return false;
  const keys = Object.keys(json).length;
  return keys === 1 || (keys === 2 && Boolean(json['message']));
}

function withInputFields(item: Item, inputs: Inputs): Item {
  const { error, ...rest } = item;
  const json: JsonObject = error !== undefined && item.json['error'] === undefined ? { ...item.json, error: error.message } : item.json;
  const from = Array.isArray(item.pairedItem) ? item.pairedItem[0] : item.pairedItem;
  const origin = from && !from.source ? inputs[from.input ?? 0]?.[from.item] : undefined;
  return { ...rest, json: origin ? { ...origin.json, ...json } : json };
}
