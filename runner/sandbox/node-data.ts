import type { ExecutionView } from '../engine/execution-view.ts';
import type { Item } from '../engine/item.ts';
import { connectingOutput, finishedRuns, itemsOf, linkedItem, requireNode } from '../engine/lineage.ts';
import { asCopies, type ItemExposure } from './exposed-items.ts';
import { fault, guarded } from './fault.ts';

/** What the accessors of `$input` and `$('Node')` look at. */
export interface Vantage {
  view: ExecutionView;
  itemIndex: number;
  exposure: ItemExposure;
}

/** `$input`. The optional arguments n8n documents for all(), first() and last() have no meaning for an input and are ignored. */
class InputData {
  readonly #at: Vantage;

  constructor(at: Vantage) {
    this.#at = at;
  }

  get item(): unknown {
    return guarded(() => this.#at.exposure.item(this.#at.view.input(0)[this.#at.itemIndex]));
  }

  get params(): unknown {
    return asCopies.data(this.#at.view.node.parameters ?? {});
  }

  get context(): unknown {
    return guarded(() => this.#at.exposure.data(this.#at.view.stateOf(this.#at.view.node.name)));
  }

  all(): unknown {
    return guarded(() => this.#at.exposure.items(this.#at.view.input(0)));
  }

  first(): unknown {
    return guarded(() => this.#at.exposure.item(this.#at.view.input(0)[0]));
  }

  last(): unknown {
    return guarded(() => this.#at.exposure.item(this.#at.view.input(0).at(-1)));
  }
}

/** `$('Node')`. */
class NodeData {
  readonly #at: Vantage;
  readonly #name: string;

  constructor(at: Vantage, name: string) {
    this.#at = at;
    this.#name = name;
  }

  get item(): unknown {
    return guarded(() => this.#at.exposure.item(linkedItem(this.#at.view, this.#name, this.#at.itemIndex)));
  }

  get isExecuted(): boolean {
    return guarded(() => (this.#at.view.runsOf(this.#name)?.length ?? 0) > 0);
  }

  get params(): unknown {
    // A copy: the definition is shared by all executions of the workflow.
    return guarded(() => asCopies.data(this.#at.view.nodeNamed(this.#name)?.parameters ?? {}));
  }

  get context(): unknown {
    return guarded(() => this.#at.exposure.data(this.#at.view.stateOf(this.#name)));
  }

  get runIndex(): number {
    return guarded(() => finishedRuns(this.#at.view, this.#name).length - 1);
  }

  all(output?: unknown, run?: unknown): unknown {
    return guarded(() => this.#at.exposure.items(this.#items(output, run)));
  }

  first(output?: unknown, run?: unknown): unknown {
    return guarded(() => this.#at.exposure.item(this.#items(output, run)[0]));
  }

  last(output?: unknown, run?: unknown): unknown {
    return guarded(() => this.#at.exposure.item(this.#items(output, run).at(-1)));
  }

  itemMatching(index?: unknown): unknown {
    return guarded(() => this.#at.exposure.item(matchingItem(this.#at.view, this.#name, index)));
  }

  pairedItem(index?: unknown): unknown {
    return this.itemMatching(index ?? this.#at.itemIndex);
  }

  #items(output: unknown, run: unknown): readonly Item[] {
    return outputItems(this.#at.view, this.#name, { output, run });
  }
}

/** `$node["Node"]`, the older form: it reads the item of the same index. */
class LegacyNodeData {
  readonly #at: Vantage;
  readonly #name: string;

  constructor(at: Vantage, name: string) {
    this.#at = at;
    this.#name = name;
  }

  get json(): unknown {
    return guarded(() => this.#at.exposure.data(this.#item().json));
  }

  get binary(): unknown {
    return guarded(() => (this.#at.exposure.item(this.#item()) as Item).binary ?? {});
  }

  get parameter(): unknown {
    return new NodeData(this.#at, this.#name).params;
  }

  get context(): unknown {
    return new NodeData(this.#at, this.#name).context;
  }

  get runIndex(): number {
    return new NodeData(this.#at, this.#name).runIndex;
  }

  #item(): Item {
    const item = outputItems(this.#at.view, this.#name, {})[this.#at.itemIndex];
    if (!item) throw fault('ItemIndexOutOfRange', `Node '${this.#name}' has no item ${this.#at.itemIndex}. Use $('${this.#name}').first() or .item.`);
    return item;
  }
}

const CLASSES = [InputData, NodeData, LegacyNodeData];

/** Freezes what all executions share of these accessors. To be called once, after lockdown. */
export function hardenNodeData(): void {
  for (const { prototype } of CLASSES) {
    // With the class at hand sandboxed code could make accessors over views of its own.
    Reflect.deleteProperty(prototype, 'constructor');
    harden(prototype);
  }
}

export function inputData(at: Vantage): object {
  return Object.freeze(new InputData(at));
}

/** Throws the fault NodeNotFound. */
export function nodeData(at: Vantage, name: string): object {
  guarded(() => requireNode(at.view, name));
  return Object.freeze(new NodeData(at, name));
}

/** Throws the fault NodeNotFound. */
export function legacyNodeData(at: Vantage, name: string): object {
  guarded(() => requireNode(at.view, name));
  return Object.freeze(new LegacyNodeData(at, name));
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
