import { setImmediate as nextTurn } from 'node:timers/promises';
import { WorkflowError } from './error.ts';
import type { Execution, Tree } from './execution.ts';
import type { NodeRun, Suspension } from './node-run.ts';
import type { WaitRequest } from './node-type.ts';

/** Longest time a busy execution keeps the event loop from timers and messages; milliseconds. */
const TURN_MS = 20;

/** Before each run: stops an execution that is aborted, endless or to be handed on, and lets timers and messages have their turn. */
export async function admit({ tree, signal }: Execution): Promise<void> {
  await turn(tree);
  signal.throwIfAborted();
  tree.handedBack = tree.handBack?.aborted === true;
  tree.handBack?.throwIfAborted();
  tree.nodeRuns += 1;
  if (tree.nodeRuns > tree.maxNodeRuns) {
    throw new WorkflowError('EndlessLoop', `The execution was stopped after ${tree.maxNodeRuns} node runs. Check that its loops come to an end.`);
  }
}

async function turn(tree: Tree): Promise<void> {
  const now = tree.host.now();
  if (now - tree.lastYield < TURN_MS) return;
  await nextTurn();
  tree.lastYield = tree.host.now();
}

/** After each run: ends this life if it must not go on, whatever the node made of the reason. */
export function throwIfEnding({ tree, signal }: Execution): void {
  signal.throwIfAborted();
  tree.journal.throwIfBroken();
  if (tree.handedBack) tree.handBack?.throwIfAborted();
}

/** Takes a finished run into the history. */
export function record({ history, tree }: Execution, run: NodeRun, isLast?: boolean): void {
  history.add(run, isLast);
  tree.host.onNodeRun?.(run);
}

/** The run of a node that asked to wait: its next one. */
export function suspensionOf({ scope, history }: Execution, node: string, wait: WaitRequest): Suspension {
  return { ...(scope === '' ? {} : { scope }), node, runIndex: history.of(node).length, wait };
}
