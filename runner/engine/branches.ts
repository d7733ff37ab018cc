import { BranchReach } from './branch-reach.ts';
import { connectedInputs } from './graph.ts';
import type { GraphNode } from './graph.ts';
import type { NodeRun } from './node-run.ts';
import { deliveriesOf, inStackOrder, taskFor } from './scheduler.ts';
import type { Delivery, BranchOptions } from './scheduler.ts';
import { WaitingInputs } from './waiting-inputs.ts';
import type { Task } from './waiting-inputs.ts';

/** More than the wires one node can have. */
const MAX_ARRIVALS = 1_000_000;

/** Where something stands in the order in which the nodes would run one after the other. */
export interface Place {
  readonly node: GraphNode;
  /** Absent while it is not known whether there will be a run here: a node that waits for other inputs may go on here or elsewhere. */
  task: Task | undefined;
  state: 'due' | 'running' | 'over';
  /** Of a finished run: its number in the history. */
  number: number | undefined;
  /** What it sent to nodes with several inputs and has not arrived, because something before it may still arrive there. */
  readonly arrivals: Arrival[];
  /** Nodes that began to wait for other inputs when something from here arrived, and as which of its arrivals. */
  readonly began: Map<string, number>;
  before: Place | undefined;
  after: Place | undefined;
}

interface Arrival {
  delivery: Delivery;
  /** Where the node would run if this is the last that it waits for. */
  at: Place;
  /** Counts what one run sends to such nodes. */
  order: number;
}

/**
 * The runs of an execution in the depth-first order of its canvas, of which several may be under way: a run may start before
 * those before it have ended once nothing that these can still lead to is its own node, or reads what it does, or is read by it.
 * So each run gets the same index and the same inputs, and sees the same of other nodes, as if they ran one after the other.
 */
export class Branches {
  readonly #options: BranchOptions;
  readonly #waiting: WaitingInputs;
  /** Every place with something to do, or where a node began to wait; in order. */
  readonly #open: Place[] = [];
  /** Node that waits for other inputs → where it began. */
  readonly #began = new Map<string, Place>();
  #last: Place | undefined;
  #first: Place | undefined;

  constructor(options: BranchOptions, first: Task) {
    this.#options = options;
    this.#waiting = new WaitingInputs(options.graph);
    this.#append(placeOf(first.node, first));
  }

  /** Runs that may start now, in order. */
  startable(): Place[] {
    const found = this.#scan();
    if (found.length > 0 || this.#open.some(({ task, state }) => task !== undefined && state !== 'over')) return found;
    const released = this.#waiting.release((name) => this.#rankOf(name));
    if (!released) return [];
    this.#forgetWait(released.node.name);
    const place = placeOf(released.node, released);
    this.#append(place);
    return [place];
  }

  /** Takes a finished run, and what follows from it where `delivers`. */
  finish(place: Place, { run, number, delivers }: { run: NodeRun; number: number; delivers: boolean }): void {
    place.state = 'over';
    place.task = undefined;
    place.number = number;
    if (delivers) this.#deliver(place, run);
    this.#closeIfDone(place);
  }

  /** Whether no finished run comes after this one. */
  isLastFinished(place: Place): boolean {
    for (let each = this.#last; each && each !== place; each = each.before) if (each.number !== undefined) return false;
    return true;
  }

  /** Numbers of the finished runs in order. */
  order(): number[] {
    return [...this.#all()].flatMap(({ number }) => number ?? []);
  }

  inOrder(places: { has(place: Place): boolean }): Place[] {
    return [...this.#all()].filter((place) => places.has(place));
  }

  *#all(): Iterable<Place> {
    for (let each = this.#first; each; each = each.after) yield each;
  }

  #deliver(place: Place, run: NodeRun): void {
    const { graph, includes } = this.#options;
    const deliveries = inStackOrder(deliveriesOf(place.node, run, (items, { node }) => items.length > 0 && includes(node)), graph.compat);
    for (const delivery of deliveries) {
      const waits = connectedInputs(delivery.node).length > 1;
      const at = placeOf(delivery.node, waits ? undefined : taskFor(delivery, this.#waiting));
      // Each comes to stand before the one that was put there last, as on a stack.
      this.#insertAfter(place, at);
      if (waits) place.arrivals.push({ delivery, at, order: place.arrivals.length });
    }
  }

  #scan(): Place[] {
    const reach = new BranchReach(this.#waiting);
    const found: Place[] = [];
    // What arrives opens and closes places.
    for (const place of this.#open.slice()) {
      if (place.arrivals.length > 0) this.#takeArrivals(place, reach);
      if (place.state === 'over' || !place.task) continue;
      if (place.state === 'due' && reach.isIndependentOf(place.node)) found.push(place);
      reach.run(place.node);
    }
    return found;
  }

  /** What nothing before this place can precede arrives. */
  #takeArrivals(place: Place, reach: BranchReach): void {
    const held: Arrival[] = [];
    for (const arrival of place.arrivals) {
      const { node, input } = arrival.delivery;
      if (reach.touches(node)) {
        held.push(arrival);
        reach.arrive(node, input);
      } else {
        this.#arrive(place, arrival);
      }
    }
    place.arrivals.splice(0, place.arrivals.length, ...held);
    this.#closeIfDone(place);
  }

  #arrive(from: Place, { delivery, at, order }: Arrival): void {
    const { name } = delivery.node;
    const waited = this.#waiting.has(name);
    at.task = taskFor(delivery, this.#waiting);
    if (!at.task) this.#remove(at);
    if (!waited && this.#waiting.has(name)) {
      from.began.set(name, order);
      this.#began.set(name, from);
    }
    this.#forgetWait(name);
  }

  /** Once no entry of a node waits any more, it does not matter where it began. */
  #forgetWait(name: string): void {
    const began = this.#began.get(name);
    if (!began || this.#waiting.has(name)) return;
    began.began.delete(name);
    this.#began.delete(name);
    this.#closeIfDone(began);
  }

  /** Nodes that began to wait earlier have a lower one. */
  #rankOf(name: string): number {
    const index = this.#open.findIndex(({ began }) => began.has(name));
    return index * MAX_ARRIVALS + (this.#open[index]?.began.get(name) ?? 0);
  }

  #closeIfDone(place: Place): void {
    if (place.state === 'over' && place.arrivals.length === 0 && place.began.size === 0) this.#close(place);
  }

  #close(place: Place): void {
    const index = this.#open.indexOf(place);
    if (index >= 0) this.#open.splice(index, 1);
  }

  #append(place: Place): void {
    this.#open.push(place);
    place.before = this.#last;
    if (this.#last) this.#last.after = place;
    this.#first ??= place;
    this.#last = place;
  }

  #insertAfter(place: Place, made: Place): void {
    this.#open.splice(this.#open.indexOf(place) + 1, 0, made);
    made.before = place;
    made.after = place.after;
    if (place.after) place.after.before = made;
    else this.#last = made;
    place.after = made;
  }

  /** A place where nothing will run after all. Never the first. */
  #remove(place: Place): void {
    this.#close(place);
    if (place.before) place.before.after = place.after;
    if (place.after) place.after.before = place.before;
    else this.#last = place.before;
  }
}

function placeOf(node: GraphNode, task: Task | undefined): Place {
  return { node, task, state: 'due', number: undefined, arrivals: [], began: new Map(), before: undefined, after: undefined };
}
