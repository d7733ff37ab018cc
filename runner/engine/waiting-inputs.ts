import type { Item } from './item.ts';
import type { Source } from './node-run.ts';
import type { Graph, GraphNode } from './graph.ts';
import { connectedInputs } from './graph.ts';

/** One run of one node, due. */
export interface Task {
  node: GraphNode;
  /** By input index; null where nothing arrived. */
  inputs: (readonly Item[] | null)[];
  source: (Source | null)[];
}

/**
 * Nodes with several wired inputs, waiting for the rest of them. Items of a later pass through a loop, or of a second wire
 * into the same input, start an entry of their own.
 */
export class WaitingInputs {
  readonly #graph: Graph;
  /** Node name → entry number → what has arrived. Nodes in the order they began to wait. */
  readonly #waiting = new Map<string, Map<number, Task>>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  has(node: string): boolean {
    return this.#waiting.has(node);
  }

  /** Whether something has arrived at this input and waits for the others. */
  holds(node: string, input: number): boolean {
    return [...(this.#waiting.get(node)?.values() ?? [])].some(({ inputs }) => inputs[input] !== null);
  }

  /** Adds what arrived at one input. Gives the run once all wired inputs have something, else undefined. */
  arrive(node: GraphNode, input: number, items: readonly Item[], source: Source): Task | undefined {
    const [number, entry] = this.#entryFor(node, input);
    entry.inputs[input] = items;
    entry.source[input] = source;
    if (connectedInputs(node).some((index) => entry.inputs[index] === null)) return undefined;
    this.#remove(node.name, number);
    return entry;
  }

  /**
   * When nothing else is left to run: the entry that goes on with what it has. The earliest entry goes first; a node that
   * another waiting node could still feed goes later; a node without an input it requires does not run at all. `rankOf` tells
   * which node began to wait earlier where that is not the order of arrival.
   */
  release(rankOf: (name: string) => number = () => 0): Task | undefined {
    const ready: { number: number; name: string; entry: Task }[] = [];
    for (const [name, entries] of this.#waiting) {
      for (const [number, entry] of entries) if (hasRequiredInputs(entry)) ready.push({ number, name, entry });
    }
    ready.sort((a, b) => a.number - b.number || rankOf(a.name) - rankOf(b.name));
    const chosen = ready.find(({ name }) => !this.#isFedByWaiting(name)) ?? ready[0];
    if (!chosen) return undefined;
    this.#remove(chosen.name, chosen.number);
    return chosen.entry;
  }

  #isFedByWaiting(name: string): boolean {
    const ancestors = this.#graph.ancestors(name);
    return [...this.#waiting.keys()].some((other) => other !== name && ancestors.has(other));
  }

  #entryFor(node: GraphNode, input: number): [number, Task] {
    const entries = this.#waiting.get(node.name) ?? new Map<number, Task>();
    this.#waiting.set(node.name, entries);
    for (const [number, entry] of entries) if (entry.inputs[input] === null) return [number, entry];
    let number = entries.size;
    while (entries.has(number)) number += 1;
    const entry: Task = { node, inputs: node.feeds.map(() => null), source: node.feeds.map(() => null) };
    entries.set(number, entry);
    return [number, entry];
  }

  #remove(name: string, number: number): void {
    const entries = this.#waiting.get(name);
    entries?.delete(number);
    if (entries?.size === 0) this.#waiting.delete(name);
  }
}

function hasRequiredInputs({ node, inputs }: Task): boolean {
  if (inputs.every((items) => !items || items.length === 0)) return false;
  const required = node.type?.requiredInputs?.(node.node) ?? [];
  return required.every((index) => (inputs[index]?.length ?? 0) > 0);
}
