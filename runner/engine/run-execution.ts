import { setImmediate as nextTurn } from 'node:timers/promises';
import { toErrorRecord, WorkflowError } from './error.ts';
import { hasArrived } from './ending.ts';
import type { Execution, Tree } from './execution.ts';
import type { GraphNode } from './graph.ts';
import type { ErrorRecord, Item } from './item.ts';
import { isFatal, runNode } from './node-runner.ts';
import { ExecutionStatus } from './node-run.ts';
import type { ExecutionResult, NodeRun } from './node-run.ts';
import { createScheduler } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';
import type { WaitRequest } from './node-type.ts';
import type { Task } from './waiting-inputs.ts';

/** Longest time a busy execution keeps the event loop from timers and messages; milliseconds. */
const TURN_MS = 20;

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
  const scheduler = createScheduler({
    graph: execution.graph,
    includes: (node) => chosen.includes(node),
    hasRun: (name) => execution.history.of(name).length > 0,
  });
  scheduler.add(chosen.first);
  return drain(execution, scheduler, chosen.destination);
}

/** Runs what is due until nothing is, or the execution ends. */
export async function drain(execution: Execution, scheduler: Scheduler, destination: string | undefined): Promise<ExecutionResult> {
  const { tree } = execution;
  for (let task = scheduler.next(); task; task = scheduler.next()) {
    if (hasArrived(execution, task)) return ended(execution, ExecutionStatus.Succeeded, {});
    execution.running = task.node.name;
    await admit(execution);
    const outcome = await runNode(execution, task);
    execution.signal.throwIfAborted();
    tree.journal.throwIfBroken();
    if (tree.handedBack) tree.handBack?.throwIfAborted();
    if (tree.suspended) return ended(execution, ExecutionStatus.Waiting, { wait: tree.suspended });
    if ('wait' in outcome) return suspend(execution, task, outcome.wait);
    const { run } = outcome;
    record(execution, run);
    if (isFatal(task.node, run)) return ended(execution, ExecutionStatus.Failed, run.error ? { error: run.error } : {});
    if (run.node !== destination) scheduler.deliver(task.node, run);
  }
  return ended(execution, ExecutionStatus.Succeeded, {});
}

/** Before each run: stops an execution that is aborted, endless or to be handed on, and lets timers and messages have their turn. */
async function admit({ tree, signal }: Execution): Promise<void> {
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

function record(execution: Execution, run: NodeRun): void {
  execution.history.add(run);
  execution.tree.host.onNodeRun?.(run);
}

async function suspend(execution: Execution, task: Task, wait: WaitRequest): Promise<ExecutionResult> {
  const { tree, scope } = execution;
  const { name } = task.node;
  const runIndex = execution.history.of(name).length;
  await tree.journal.suspend({ ...(scope === '' ? {} : { scope }), node: name, runIndex, wait });
  const { until, on } = wait;
  tree.suspended = { node: name, ...(until === undefined ? {} : { until }), ...(on === undefined ? {} : { on }) };
  return ended(execution, ExecutionStatus.Waiting, { wait: tree.suspended });
}

/** The result of an execution that ends so. */
export function ended(execution: Execution, status: ExecutionStatus, rest: Pick<ExecutionResult, 'error' | 'wait'>): ExecutionResult {
  const { runs } = execution.history;
  const lastNode = rest.error?.node ?? rest.wait?.node ?? runs.at(-1)?.node;
  const staticData = execution.staticData.changes();
  return { status, ...rest, ...(lastNode === undefined ? {} : { lastNode }), runs, ...(staticData ? { staticData } : {}) };
}

/** How an execution ended that an error stopped: canceled or over its time, or failed for a reason no node could handle. */
export function stopped(execution: Execution, error: WorkflowError): ExecutionResult {
  const node = execution.running;
  const lastNode = node ?? execution.history.runs.at(-1)?.node;
  return {
    ...ended(execution, error === execution.signal.reason ? ExecutionStatus.Canceled : ExecutionStatus.Failed, { error: toErrorRecord(error, node === undefined ? {} : { node }) }),
    ...(lastNode === undefined ? {} : { lastNode }),
  };
}

function wholeWorkflow(execution: Execution, start: Start): Plan {
  const node = execution.graph.nodes.get(start.node);
  if (!node) throw new WorkflowError('StartNodeMissing', `There is no node '${start.node}' to start from.`);
  return { first: { node, inputs: [start.items], source: [] }, includes: () => true };
}

/** Why the execution must not start at all: what is wrong with the parameters of a node that it could reach. */
function refusalOf({ graph }: Execution, { first, includes }: Plan): ErrorRecord | undefined {
  const start = first.node.name;
  for (const name of [start, ...graph.descendants(start)]) {
    const node = graph.nodes.get(name);
    if (!node || node.node.disabled || !includes(node)) continue;
    const [problem] = node.type?.problems?.(node.node) ?? [];
    if (problem) return toErrorRecord(new WorkflowError('ParameterInvalid', problem.message, { node: name, parameter: problem.parameter }));
  }
  return undefined;
}
