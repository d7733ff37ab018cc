import type { Execution } from './execution.ts';
import type { GraphNode } from './graph.ts';
import type { NodeRun } from './node-run.ts';
import { ExecutionMode } from './node-run.ts';
import type { Task } from './waiting-inputs.ts';

/**
 * Whether an execution that has ended, and is only led back to where it ended to be undone, has arrived there. Without a place: with the last run
 * that is durable. No effect starts on the way, nor is waited for anything.
 */
export function hasArrived({ ending, compensating, tree: { journal }, scope, history }: Execution, { node }: Task): boolean {
  if (!ending || compensating) return false;
  if (ending.after === undefined ? journal.unrestored === 0 : history.runs.length >= ending.after) return true;
  const runIndex = history.of(node.name).length;
  return !journal.isCommitted(scope, node.name, runIndex) && (node.effect === 'effectful' || journal.waitOf(scope, node.name, runIndex) !== undefined);
}

/** Whether a node is passed by instead of executed: disabled, or pinned in a manual run. */
export function isBypassed({ mode, workflow: { pinData } }: Execution, { node, name }: GraphNode): boolean {
  return node.disabled === true || (mode === ExecutionMode.Manual && pinData !== undefined && Object.hasOwn(pinData, name));
}

/** Whether a run did something that a compensation is there for. */
export function isUndoable(execution: Execution, { node: name, status, cached, compensation }: NodeRun): boolean {
  const node = execution.graph.nodes.get(name);
  if (!node || node.compensations.length === 0 || node.effect === 'pure') return false;
  return status === 'success' && !cached && !compensation && !isBypassed(execution, node);
}
