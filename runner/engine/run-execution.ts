import { toErrorRecord, WorkflowError } from './error.ts';
import { distributionProblems } from './distribution-problems.ts';
import { hasArrived } from './ending.ts';
import type { Execution } from './execution.ts';
import { ended, waitOf } from './execution-end.ts';
import type { GraphNode } from './graph.ts';
import type { ErrorRecord, Item } from './item.ts';
import { admit, record, suspensionOf, throwIfEnding } from './node-boundary.ts';
import { isFatal, runNode } from './node-runner.ts';
import { ExecutionStatus } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import { runBranches } from './run-branches.ts';
import { createScheduler } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import type { Task } from './waiting-inputs.ts';

export interface Start {
  node: string;
  items: readonly Item[];
}

export interface Plan {
  /** The first run. */
  first: Task;
  /** The node after which to stop. */
  destination?: string;
  readonly includes: (node: GraphNode) => boolean;
}

/**
 * Runs one workflow from its start node to its end and says how it ended. Rejects only when this life of the execution must
 * not go on: aborted, or a commit failed.
 */
export async function runExecution(execution: Execution, start: Start, plan?: Plan): Promise<ExecutionResult> {
  const chosen = plan ?? wholeWorkflow(execution, start);
  const refusal = refusalOf(execution, chosen);
  if (refusal) return ended(execution, ExecutionStatus.Failed, { error: refusal });
  const { executionOrder, parallelBranches = 1 } = execution.workflow.settings ?? {};
  if (parallelBranches > 1 && executionOrder !== 'v0') return runBranches(execution, chosen, parallelBranches);
  const scheduler = createScheduler({
    graph: execution.graph,
    includes: (node) => chosen.includes(node),
    hasRun: (name) => execution.history.of(name).length > 0,
  });
  scheduler.add(chosen.first);
  return drain(execution, scheduler, chosen.destination);
}

/** Runs what is due until nothing is, or the execution ends: one node after the other. */
export async function drain(execution: Execution, scheduler: Scheduler, destination: string | undefined): Promise<ExecutionResult> {
  const { tree } = execution;
  for (let task = scheduler.next(); task; task = scheduler.next()) {
    if (hasArrived(execution, task)) return ended(execution, ExecutionStatus.Succeeded, {});
    execution.running = task.node.name;
    await admit(execution);
    const outcome = await runNode(execution, task);
    // What is finished counts, whatever ends the execution meanwhile: it may have to be undone.
    if ('run' in outcome && !tree.suspended) record(execution, outcome.run);
    throwIfEnding(execution);
    if (!tree.suspended && 'wait' in outcome) tree.suspended = suspensionOf(execution, task.node.name, outcome.wait);
    if (tree.suspended || !('run' in outcome)) return waiting(execution);
    const { run } = outcome;
    if (isFatal(task.node, run)) return ended(execution, ExecutionStatus.Failed, run.error ? { error: run.error } : {});
    if (run.node !== destination) scheduler.deliver(task.node, run);
  }
  return ended(execution, ExecutionStatus.Succeeded, {});
}

function waiting(execution: Execution): ExecutionResult {
  const { suspended } = execution.tree;
  return ended(execution, ExecutionStatus.Waiting, suspended ? { wait: waitOf(suspended) } : {});
}

function wholeWorkflow(execution: Execution, start: Start): Plan {
  const node = execution.graph.nodes.get(start.node);
  if (!node) throw new WorkflowError('StartNodeMissing', `There is no node '${start.node}' to start from.`);
  return { first: { node, inputs: [start.items], source: [] }, includes: () => true };
}

/** Why the execution must not start at all: what is wrong with the parameters of a node that it could reach. */
function refusalOf(execution: Execution, { first, includes }: Plan): ErrorRecord | undefined {
  const { graph } = execution;
  const start = first.node.name;
  for (const name of [start, ...graph.descendants(start)]) {
    const node = graph.nodes.get(name);
    if (!node || node.node.disabled || !includes(node)) continue;
    const [undistributable] = distributionProblems(node.node, graph.definition, execution.tree.nodeTypes);
    if (undistributable !== undefined) return toErrorRecord(new WorkflowError('DistributeNotPossible', undistributable, { node: name }));
    const [problem] = node.type?.problems?.(node.node) ?? [];
    if (problem) return toErrorRecord(new WorkflowError('ParameterInvalid', problem.message, { node: name, parameter: problem.parameter }));
  }
  return undefined;
}
