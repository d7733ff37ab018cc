import type { Item } from './item.ts';
import type { NodeRun, Source } from './node-run.ts';
import type { Graph, GraphNode, Target } from './graph.ts';
import { connectedInputs } from './graph.ts';
import { Compat } from './workflow.ts';
import { WaitingInputs } from './waiting-inputs.ts';
import type { Task } from './waiting-inputs.ts';

/** Decides which node runs next. `deliver` hands it the finished run; `next` is undefined when the execution is over. */
export interface Scheduler {
  add(task: Task): void;
  next(): Task | undefined;
  deliver(from: GraphNode, run: NodeRun): void;
}

export interface BranchOptions {
  graph: Graph;
  /** Partial executions leave nodes out; items for them are dropped. */
  includes(node: GraphNode): boolean;
}

export interface SchedulerOptions extends BranchOptions {
  /** Whether a node has run in this execution. */
  hasRun(node: string): boolean;
}

/** The order the workflow asks for: v1 (depth first by canvas position) unless its settings say v0. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  return options.graph.definition.settings?.executionOrder === 'v0' ? new BreadthFirst(options) : new DepthFirst(options);
}

/** One wire with items to carry. */
export interface Delivery {
  node: GraphNode;
  input: number;
  items: readonly Item[];
  source: Source;
}

/** The wires a run feeds that carry something, in output and then wire order. */
export function deliveriesOf(from: GraphNode, run: NodeRun, carries: (items: readonly Item[], to: Target) => boolean): Delivery[] {
  const deliveries: Delivery[] = [];
  from.targets.forEach((targets, output) => {
    const items = run.outputs[output];
    for (const target of targets) {
      if (items && carries(items, target)) deliveries.push({ ...target, items, source: { node: from.name, output, run: run.runIndex } });
    }
  });
  return deliveries;
}

/** The run a delivery starts at once, or undefined while the node waits for other inputs. */
export function taskFor({ node, input, items, source }: Delivery, waiting: WaitingInputs): Task | undefined {
  if (connectedInputs(node).length > 1) return waiting.arrive(node, input, items, source);
  const task: Task = { node, inputs: [], source: [] };
  for (let index = 0; index < input; index += 1) {
    task.inputs.push(null);
    task.source.push(null);
  }
  task.inputs.push(items);
  task.source.push(source);
  return task;
}

/** Sorts what a run sends on so that the last is to run next: v1's order, by the nodes' places on the canvas. */
export function inStackOrder(deliveries: Delivery[], compat: Compat): Delivery[] {
  // n8n runs nodes that stand at the same place in reverse wire order; millrace runs them in wire order.
  if (compat === Compat.Millrace) deliveries.reverse();
  if (deliveries.length > 1) deliveries.sort((a, b) => b.node.y - a.node.y || b.node.x - a.node.x);
  return deliveries;
}

/** v1: one branch to its end before the next, branches from top to bottom, then from left to right. */
class DepthFirst implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #waiting: WaitingInputs;
  /** The last element runs next. */
  readonly #stack: Task[] = [];

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#waiting = new WaitingInputs(options.graph);
  }

  add(task: Task): void {
    this.#stack.push(task);
  }

  next(): Task | undefined {
    return this.#stack.pop() ?? this.#waiting.release();
  }

  deliver(from: GraphNode, run: NodeRun): void {
    const deliveries = deliveriesOf(from, run, (items, { node }) => items.length > 0 && this.#options.includes(node));
    for (const delivery of inStackOrder(deliveries, this.#options.graph.compat)) {
      const task = taskFor(delivery, this.#waiting);
      if (task) this.#stack.push(task);
    }
  }
}

/**
 * v0, n8n's legacy order: level by level in wire order. A node that waits for several inputs forces a dead branch that leads
 * to it to run with one empty item.
 */
class BreadthFirst implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #waiting: WaitingInputs;
  #queue: Task[] = [];
  #head = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#waiting = new WaitingInputs(options.graph);
  }

  add(task: Task): void {
    this.#queue.push(task);
  }

  next(): Task | undefined {
    const task = this.#queue[this.#head];
    if (!task) return this.#waiting.release();
    this.#head += 1;
    if (this.#head > 1000 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return task;
  }

  deliver(from: GraphNode, run: NodeRun): void {
    // An output without items still reports to inputs other than the first.
    const deliveries = deliveriesOf(from, run, (items, { node, input }) => (items.length > 0 || input > 0) && this.#options.includes(node));
    const incomplete = new Set<GraphNode>();
    for (const delivery of deliveries) {
      const task = taskFor(delivery, this.#waiting);
      if (task) this.#queue.push(task);
      else incomplete.add(delivery.node);
    }
    for (const node of incomplete) if (this.#waiting.has(node.name)) this.#forceDeadBranches(node, from, run);
  }

  #forceDeadBranches(waiting: GraphNode, from: GraphNode, run: NodeRun): void {
    for (const { node } of waiting.feeds.flat()) {
      if (this.#options.hasRun(node.name) || this.#isComing(node.name) || !this.#options.includes(node)) continue;
      const first = this.#firstDeadNode(node);
      this.#queue.push({ node: first, inputs: [[{ json: {} }]], source: [{ node: from.name, output: 0, run: run.runIndex }] });
    }
  }

  /** Whether the node or anything before it is due or waits, so that items may still reach it. */
  #isComing(name: string): boolean {
    const before = this.#options.graph.ancestors(name);
    const isBefore = (other: string): boolean => other === name || before.has(other);
    if (this.#queue.slice(this.#head).some(({ node }) => isBefore(node.name))) return true;
    return [...before, name].some((other) => this.#waiting.has(other));
  }

  /** The start of the branch that got no items: the farthest node before `node` that has not run. */
  #firstDeadNode(node: GraphNode): GraphNode {
    const seen = new Set<GraphNode>();
    let first = node;
    while (!seen.has(first)) {
      seen.add(first);
      const feeds = first.feeds.flat();
      const dead = feeds.find((feed) => !this.#options.hasRun(feed.node.name));
      if (!dead || dead.node === first || feeds.some((feed) => this.#options.hasRun(feed.node.name))) break;
      first = dead.node;
    }
    return first;
  }
}
