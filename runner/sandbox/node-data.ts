import type { ExecutionView } from '../engine/execution-view.ts';
import type { Item } from '../engine/item.ts';
import { connectingOutput, finishedRuns, itemsOf, linkedItem } from '../engine/lineage.ts';
import { asCopies, type ItemExposure } from './exposed-items.ts';
import { fault, guarded } from './fault.ts';

/** What the accessors of `$input` and `$('Node')` look at. */
export interface Vantage {
  view: ExecutionView;
  itemIndex: number;
  exposure: ItemExposure;
}

/** `$input`. The optional arguments n8n documents for all(), first() and last() have no meaning for an input and are ignored. */
export function inputData({ view, itemIndex, exposure }: Vantage): object {
  return Object.freeze({
    get item() {
      return guarded(() => exposure.item(view.input(0)[itemIndex]));
    },
    get params() {
      return asCopies.data(view.node.parameters ?? {});
    },
    get context() {
      return guarded(() => exposure.data(view.stateOf(view.node.name)));
    },
    all: () => guarded(() => exposure.items(view.input(0))),
    first: () => guarded(() => exposure.item(view.input(0)[0])),
    last: () => guarded(() => exposure.item(view.input(0).at(-1))),
  });
}

/** `$('Node')`. Throws the fault NodeNotFound. */
export function nodeData(vantage: Vantage, name: string): object {
  const { view, itemIndex, exposure } = vantage;
  const node = guarded(() => view.nodeNamed(name));
  if (!node) throw guarded(() => finishedRuns(view, name) && fault('NodeNotFound', `There is no node '${name}' in this workflow.`));
  const read = (output: unknown, run: unknown): readonly Item[] => guarded(() => outputItems(view, name, { output, run }));
  return Object.freeze({
    get item() {
      return guarded(() => exposure.item(linkedItem(view, name, itemIndex)));
    },
    get isExecuted() {
      return guarded(() => (view.runsOf(name)?.length ?? 0) > 0);
    },
    get params() {
      // The definition is shared by all executions of the workflow.
      return asCopies.data(node.parameters ?? {});
    },
    get context() {
      return guarded(() => exposure.data(view.stateOf(name)));
    },
    get runIndex() {
      return guarded(() => finishedRuns(view, name).length - 1);
    },
    all: (output?: unknown, run?: unknown) => exposure.items(read(output, run)),
    first: (output?: unknown, run?: unknown) => exposure.item(read(output, run)[0]),
    last: (output?: unknown, run?: unknown) => exposure.item(read(output, run).at(-1)),
    itemMatching: (index?: unknown) => guarded(() => exposure.item(matchingItem(view, name, index))),
    pairedItem: (index?: unknown) => guarded(() => exposure.item(matchingItem(view, name, index ?? itemIndex))),
  });
}

/** `$node["Node"]`, the older form: it reads the item of the same index. */
export function legacyNodeData(vantage: Vantage, name: string): object {
  const { view, itemIndex, exposure } = vantage;
  const data = nodeData(vantage, name) as { params: unknown; context: unknown; runIndex: unknown };
  const item = (): Item => {
    const found = guarded(() => outputItems(view, name, {}))[itemIndex];
    if (!found) throw fault('ItemIndexOutOfRange', `Node '${name}' has no item ${itemIndex}. Use $('${name}').first() or .item.`);
    return found;
  };
  return Object.freeze({
    get json() {
      return exposure.data(item().json);
    },
    get binary() {
      return (exposure.item(item()) as Item).binary ?? {};
    },
    get parameter() {
      return data.params;
    },
    get context() {
      return data.context;
    },
    get runIndex() {
      return data.runIndex;
    },
  });
}

/** The items of an output of a node. Without an output it is the one that leads here; without a run it is the last one. */
export function outputItems(view: ExecutionView, name: string, which: { output?: unknown; run?: unknown }): readonly Item[] {
  const runs = finishedRuns(view, name);
  const output = which.output === undefined || which.output === null ? connectingOutput(view.workflow, name, view.node.name) : Number(which.output);
  const run = which.run === undefined || which.run === null || Number(which.run) < 0 ? runs.at(-1) : runs[Number(which.run)];
  if (!run) throw fault('RunIndexOutOfRange', `Node '${name}' has no run ${Number(which.run)}: it has run ${runs.length} times.`);
  return itemsOf(run, output) ?? [];
}

function matchingItem(view: ExecutionView, name: string, index: unknown): Item | undefined {
  const at = Number(index);
  if (index === undefined) throw fault('ItemIndexOutOfRange', `itemMatching() needs the index of an item of this node's input.`);
  if (!view.input(0)[at]) throw fault('ItemIndexOutOfRange', `itemMatching(${at}): this node's input has no item ${at}.`);
  return linkedItem(view, name, at);
}
