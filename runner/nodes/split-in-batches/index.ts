import type { Item, JsonObject, PairedItem } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { flagParameter, numberParameter } from '../parameter-value.ts';

/** What the node keeps between the passes; workflows read noItemsLeft, currentRunIndex, maxRunIndex and done. */
interface LoopState {
  items: Item[];
  /** How many of the items have been handed out. */
  taken: number;
  processed: Item[];
  currentRunIndex: number;
  maxRunIndex: number;
  noItemsLeft: boolean;
  done: boolean;
}

const isLoopState = (state: JsonObject | LoopState): state is LoopState => Array.isArray(state.items) && Array.isArray(state.processed);

/** The items of this run, linked to where they stand: in later passes they are handed out far from where they came in. */
function linked(context: NodeContext, withSource: boolean): Item[] {
  const source = context.source[0];
  return context.input().map((item, index) => {
    const pairedItem: PairedItem = withSource && source ? { item: index, source } : { item: index };
    return { ...item, pairedItem };
  });
}

function begin(context: NodeContext, batchSize: number): LoopState {
  const items = linked(context, true);
  const fresh: LoopState = {
    items, taken: 0, processed: [], currentRunIndex: -1, maxRunIndex: Math.max(0, Math.ceil(items.length / batchSize) - 1), noItemsLeft: false, done: false,
  };
  Object.assign(context.state, fresh);
  return fresh;
}

/** The next batch; the first one is linked to this very run's input. */
function nextBatch(context: NodeContext, state: LoopState, batchSize: number): Item[] {
  const first = state.taken === 0;
  const batch = state.items.slice(state.taken, state.taken + batchSize);
  const taken = state.taken + batch.length;
  Object.assign(context.state, { taken, noItemsLeft: taken >= state.items.length, currentRunIndex: state.currentRunIndex + 1 });
  return first ? batch.map((item, index) => ({ ...item, pairedItem: { item: index } })) : batch;
}

function outputNames(node: WorkflowNode): readonly string[] {
  const version = node.typeVersion ?? 3;
  if (version < 2) return ['loop'];
  return version < 3 ? ['loop', 'done'] : ['done', 'loop'];
}

/** Hands out its items batch by batch to a loop that leads back to it. */
export const splitInBatchesNode: NodeType = {
  type: 'splitInBatches', displayName: 'Loop Over Items', group: 'flow', versions: [1, 2, 3], effect: 'pure', inputs: 1, outputs: outputNames,
  description: 'Hands out its items batch by batch on "loop"; the last node of the loop is connected back to it. When all batches are through, "done" gives what came back. Version 2 has the two outputs the other way round, version 1 only "loop".',
  parameters: [
    { name: 'batchSize', type: 'number', default: 1, description: 'How many items a batch has. Default 10 before version 3.' },
    { name: 'options', type: 'collection', default: {}, description: '`reset`: an expression; when it gives true the node starts anew with the items it has just got, which inner loops need.' },
  ],
  execute(context) {
    const batchSize = Math.max(1, Math.floor(numberParameter(context, 'batchSize', 0, context.typeVersion < 3 ? 10 : 1)));
    const known = context.state;
    const goesOn = isLoopState(known) && !flagParameter(context, 'options.reset', 0);
    const state = goesOn ? known : begin(context, batchSize);
    if (goesOn) for (const item of linked(context, true)) state.processed.push(item);
    const loop = nextBatch(context, state, batchSize);
    const ended = loop.length === 0;
    if (ended) context.state.done = true;
    const done = ended ? [...state.processed] : [];
    if (context.typeVersion < 2) return [loop];
    return context.typeVersion < 3 ? [loop, done] : [done, loop];
  },
};
