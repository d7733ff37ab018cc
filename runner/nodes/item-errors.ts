import { toErrorRecord, WorkflowError } from '../engine/error.ts';
import type { Item } from '../engine/item.ts';
import type { NodeContext } from '../engine/node-type.ts';
import { OnError } from '../engine/workflow.ts';

/** True when items that fail go on as error items instead of failing the node. */
export function continuesOnError(context: NodeContext): boolean {
  return context.node.onError === OnError.Continue || context.node.onError === OnError.ErrorOutput;
}

/** The item that stands for input item `index` after it failed; the engine routes it by its `error`. */
export function errorItem(error: unknown, index: number, shown?: unknown): Item {
  const record = toErrorRecord(error, { itemIndex: index });
  return { json: { error: shown ?? record.message }, pairedItem: { item: index }, error: record };
}

/** Runs `make` for each input item; what fails becomes an error item when the node goes on after errors. */
export function mapItems(context: NodeContext, make: (item: Item, index: number) => Item | readonly Item[]): Item[] {
  const out: Item[] = [];
  for (const [index, item] of context.input().entries()) {
    try {
      append(out, make(item, index));
    } catch (error) {
      out.push(failed(context, error, index));
    }
  }
  return out;
}

/** {@link mapItems} for nodes that have to wait; one item after the other. */
export async function mapItemsInTurn(
  context: NodeContext, make: (item: Item, index: number) => Promise<Item | readonly Item[]>,
): Promise<Item[]> {
  const out: Item[] = [];
  for (const [index, item] of context.input().entries()) {
    try {
      append(out, await make(item, index));
    } catch (error) {
      out.push(failed(context, error, index));
    }
  }
  return out;
}

/** Errors that are about the execution and not about an item. */
const EXECUTION_ERRORS = new Set(['ExecutionSuspended', 'LeaseLost', 'HandBack']);

/** True when no node may go on after this error, whatever its `onError` says. */
export function mustStop(context: NodeContext, error: unknown): boolean {
  return context.signal.aborted || (error instanceof WorkflowError && EXECUTION_ERRORS.has(error.code));
}

function failed(context: NodeContext, error: unknown, index: number): Item {
  if (mustStop(context, error)) throw error;
  if (!continuesOnError(context)) throw atItem(error, index);
  return errorItem(error, index);
}

function append(out: Item[], made: Item | readonly Item[]): void {
  if (isList(made)) for (const item of made) out.push(item);
  else out.push(made);
}

const isList = (made: Item | readonly Item[]): made is readonly Item[] => Array.isArray(made);

/** The same error, saying which item it was. */
export function atItem(error: unknown, itemIndex: number): WorkflowError {
  if (error instanceof WorkflowError) {
    if (error.details.itemIndex !== undefined) return error;
    return new WorkflowError(error.code, error.message, { ...error.details, itemIndex, cause: error.cause });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new WorkflowError('NodeFailed', message, { itemIndex, cause: error });
}
