import { connectedInputs } from './graph.ts';
import type { GraphNode } from './graph.ts';
import { referencesOf } from './references.ts';
import type { WaitingInputs } from './waiting-inputs.ts';

/** What nodes of an execution have in common beside their items; those that use one keep their order. */
export type SharedResource = 'staticData' | 'response';

/**
 * What may still happen in a workflow because of the runs and arrivals added to it, and what those that happen look at. It may count
 * too much, never too little.
 */
export class BranchReach {
  readonly #waiting: WaitingInputs;
  /** Nodes that may run. */
  readonly #runs = new Set<GraphNode>();
  /** Inputs of nodes with several inputs that something may arrive at. */
  readonly #arrivals = new Map<GraphNode, Set<number>>();
  /** Names of nodes they may look at. */
  readonly #reads = new Set<string>();
  readonly #resources = new Set<SharedResource>();
  #readsAll = false;

  constructor(waiting: WaitingInputs) {
    this.#waiting = waiting;
  }

  /** The node runs: so may whatever its outputs lead to. */
  run(node: GraphNode): void {
    const due = [node];
    for (let next = due.pop(); next; next = due.pop()) {
      if (this.#runs.has(next)) continue;
      this.#note(next);
      for (const { node: target, input } of next.targets.flat()) if (this.#starts(target, input)) due.push(target);
    }
  }

  /** Something arrives at one input of a node with several. */
  arrive(node: GraphNode, input: number): void {
    if (this.#starts(node, input)) this.run(node);
  }

  /** Whether something may arrive at the node. */
  touches(node: GraphNode): boolean {
    return this.#runs.has(node) || this.#arrivals.has(node);
  }

  /** Whether a run of the node can neither see any of this nor be seen by it. */
  isIndependentOf(node: GraphNode): boolean {
    if (this.#runs.size === 0 && this.#arrivals.size === 0) return true;
    const { names } = referencesOf(node);
    if (this.touches(node) || names === undefined || this.#readsAll || this.#reads.has(node.name)) return false;
    if (resourcesOf(node).some((resource) => this.#resources.has(resource))) return false;
    for (const each of this.#runs) if (names.has(each.name)) return false;
    return true;
  }

  #note(node: GraphNode): void {
    this.#runs.add(node);
    const { names } = referencesOf(node);
    if (names === undefined) this.#readsAll = true;
    for (const name of names ?? []) this.#reads.add(name);
    for (const resource of resourcesOf(node)) this.#resources.add(resource);
  }

  /** A node with several inputs runs once something is at each of them. */
  #starts(node: GraphNode, input: number): boolean {
    const connected = connectedInputs(node);
    if (connected.length <= 1) return true;
    const arrived = this.#arrivals.get(node) ?? new Set<number>();
    this.#arrivals.set(node, arrived.add(input));
    return connected.every((index) => arrived.has(index) || this.#waiting.holds(node.name, index));
  }
}

function resourcesOf(node: GraphNode): readonly SharedResource[] {
  const shared = node.type?.shares?.(node.node) ?? [];
  return referencesOf(node).staticData ? [...shared, 'staticData'] : shared;
}
