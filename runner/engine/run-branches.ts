import { Branches } from './branches.ts';
import type { Place } from './branches.ts';
import { WorkflowError } from './error.ts';
import type { Execution } from './execution.ts';
import { ended, waitOf } from './execution-end.ts';
import type { ErrorRecord } from './item.ts';
import { admit, record, suspensionOf, throwIfEnding } from './node-boundary.ts';
import { isFatal, runNode } from './node-runner.ts';
import type { RunOutcome } from './node-runner.ts';
import { ExecutionStatus } from './node-run.ts';
import type { Ending, ExecutionResult, NodeRun, Suspension } from './node-run.ts';
import { isAskedAgain } from './node-type.ts';
import type { WaitCause } from './node-type.ts';
import type { Plan } from './run-execution.ts';
import type { Task } from './waiting-inputs.ts';

/**
 * Runs a workflow whose branches do not wait for one another: up to `limit` nodes at the same time. Every run has the index, the input
 * and the view of other runs that it would have one after the other, and the result lists the runs in that order.
 */
export function runBranches(execution: Execution, plan: Plan, limit: number): Promise<ExecutionResult> {
  return new BranchRunner(execution, plan, limit).run();
}

interface Settled {
  place: Place;
  outcome: RunOutcome | { error: unknown };
}

class BranchRunner {
  readonly #outer: Execution;
  /** Its signal stops the branches alone. */
  readonly #execution: Execution;
  readonly #branches: Branches;
  readonly #destination: string | undefined;
  readonly #limit: number;
  readonly #stop = new AbortController();
  readonly #failures = new Map<Place, ErrorRecord | undefined>();
  readonly #waits = new Map<Place, Suspension>();
  /** Runs that are over and have not been looked at. */
  #settled: Settled[] = [];
  #wake: (() => void) | undefined;
  #running = 0;
  /** Runs of earlier lives that are still to be taken over. */
  #committed: number;
  /** Why this life of the execution ends. */
  #ending: { error: unknown } | undefined;

  constructor(execution: Execution, { first, destination, includes }: Plan, limit: number) {
    this.#outer = execution;
    this.#execution = { ...execution, signal: AbortSignal.any([execution.signal, this.#stop.signal]) };
    this.#branches = new Branches({ graph: execution.graph, includes }, first);
    this.#destination = destination;
    this.#limit = limit;
    this.#committed = execution.tree.journal.committedIn(execution.scope);
  }

  async run(): Promise<ExecutionResult> {
    const { history } = this.#outer;
    const before = history.runs.length;
    for (;;) {
      await this.#startAll();
      if (this.#running === 0) break;
      for (const settled of await this.#nextSettled()) this.#take(settled);
    }
    history.arrange(before, this.#branches.order());
    if (this.#ending) throw this.#ending.error;
    return this.#result();
  }

  #result(): ExecutionResult {
    const { tree, scope } = this.#outer;
    const [failed] = this.#branches.inOrder(this.#failures);
    if (failed) {
      const error = this.#failures.get(failed);
      // Nobody comes back to what a branch of a failed execution waits for.
      if (tree.suspended && `${tree.suspended.scope ?? ''}/`.startsWith(`${scope}/`)) tree.suspended = undefined;
      return ended(this.#outer, ExecutionStatus.Failed, error ? { error } : {});
    }
    tree.suspended ??= firstToEnd(this.#branches.inOrder(this.#waits).flatMap((place) => this.#waits.get(place) ?? []));
    if (tree.suspended) return ended(this.#outer, ExecutionStatus.Waiting, { wait: waitOf(tree.suspended) });
    return ended(this.#outer, ExecutionStatus.Succeeded, {});
  }

  async #startAll(): Promise<void> {
    while (this.#mayStart()) {
      const place = this.#chosen(this.#branches.startable());
      if (!place?.task) return;
      await this.#start(place, place.task);
    }
  }

  #mayStart(): boolean {
    const isStopping = this.#ending !== undefined || this.#failures.size > 0 || this.#outer.tree.suspended !== undefined;
    // A call that ends a wait can come once the execution is parked: the other branches go on after it.
    return !isStopping && this.#running < this.#limit && this.#settled.length === 0 && ![...this.#waits.values()].some(({ wait }) => isForCall(wait.on));
  }

  /**
   * A replay first takes over everything that was committed, ends the wait that it comes back from, and recomputes what leads there. So
   * it never repeats an effect beside a branch whose failure is known, and no checkpoint is written that has lost the wait.
   */
  #chosen(startable: readonly Place[]): Place | undefined {
    if (this.#outer.ending) return this.#onTheWay(startable, this.#outer.ending);
    if (!this.#isReplaying()) return startable[0];
    const known = startable.find((place) => this.#isKnown(place)) ?? startable.find(({ node }) => node.effect === 'pure');
    return known ?? (this.#running === 0 ? startable[0] : undefined);
  }

  /** An execution that has ended is only led back to where it ended: no effect starts, nor is waited for anything. */
  #onTheWay(startable: readonly Place[], { after }: Ending): Place | undefined {
    const { tree, scope, history } = this.#outer;
    if (after === undefined ? this.#committed <= 0 : history.runs.length >= after) return undefined;
    const isPure = ({ node: { effect, name } }: Place): boolean => effect === 'pure' && tree.journal.waitOf(scope, name, history.of(name).length) === undefined;
    return startable.find(({ node }) => this.#isCommitted(node.name)) ?? startable.find(isPure);
  }

  #isReplaying(): boolean {
    const { tree, scope } = this.#outer;
    return this.#committed > 0 || (this.#waits.size === 0 && tree.journal.isComingBack(scope));
  }

  #isKnown({ node: { name } }: Place): boolean {
    const { tree, scope, history } = this.#outer;
    return this.#isCommitted(name) || tree.journal.leadsBack(scope, name, history.of(name).length);
  }

  #isCommitted(node: string): boolean {
    const { tree, scope, history } = this.#outer;
    return tree.journal.isCommitted(scope, node, history.of(node).length);
  }

  async #start(place: Place, task: Task): Promise<void> {
    try {
      this.#outer.running = place.node.name;
      await admit(this.#execution);
    } catch (error) {
      this.#end(error);
      return;
    }
    if (this.#committed > 0 && this.#isCommitted(place.node.name)) this.#committed -= 1;
    place.state = 'running';
    this.#running += 1;
    void runNode(this.#execution, task).catch((error: unknown) => ({ error })).then((outcome) => this.#settle({ place, outcome }));
  }

  #settle(settled: Settled): void {
    this.#settled.push(settled);
    this.#wake?.();
  }

  async #nextSettled(): Promise<readonly Settled[]> {
    if (this.#settled.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#wake = undefined;
    const settled = this.#settled;
    this.#settled = [];
    return settled;
  }

  #take({ place, outcome }: Settled): void {
    this.#running -= 1;
    if ('error' in outcome) {
      if (!this.#ending && outcome.error !== this.#stop.signal.reason) this.#outer.running = place.node.name;
      return this.#end(outcome.error);
    }
    try {
      throwIfEnding(this.#outer);
    } catch (error) {
      // What is finished counts all the same: an execution that is canceled may have to undo it.
      this.#end(error);
    }
    if ('wait' in outcome) this.#waits.set(place, suspensionOf(this.#outer, place.node.name, outcome.wait));
    else if ('run' in outcome) this.#finish(place, outcome.run);
  }

  #finish(place: Place, run: NodeRun): void {
    const { history } = this.#outer;
    record(this.#outer, run, this.#branches.isLastFinished(place));
    const fatal = isFatal(place.node, run);
    this.#branches.finish(place, { run, number: history.runs.length - 1, delivers: !fatal && run.node !== this.#destination });
    if (!fatal) return;
    this.#failures.set(place, run.error);
    this.#stop.abort(new WorkflowError('BranchStopped', 'Another branch of the execution failed.'));
  }

  /** This life of the execution ends. What runs comes to its end first; unless the execution is handed on in good order, at once. */
  #end(error: unknown): void {
    if (error === this.#stop.signal.reason) return;
    this.#ending ??= { error };
    if (error !== this.#outer.tree.handBack?.reason) this.#stop.abort(error);
  }
}

/** The wait to be parked in: one for a call, which must be able to come; else one for pods or parts, because other branches may go on once some are over; else the shortest. */
function firstToEnd(waits: readonly Suspension[]): Suspension | undefined {
  const find = (on: (cause: WaitCause | undefined) => boolean): Suspension | undefined => waits.find(({ wait }) => on(wait.on));
  return find(isForCall) ?? find(isAskedAgain) ?? waits.toSorted((a, b) => (a.wait.until ?? Infinity) - (b.wait.until ?? Infinity))[0];
}

function isForCall(on: WaitCause | undefined): boolean {
  return on === 'webhook' || on === 'form';
}
