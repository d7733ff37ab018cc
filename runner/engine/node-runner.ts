import { untilAborted } from './abort.ts';
import { toErrorRecord, WorkflowError } from './error.ts';
import { hasErrorItem, outputsAfterFailure, routeErrorItems, startsWithErrorField } from './error-routing.ts';
import { isUndoable } from './ending.ts';
import type { Execution, Tree } from './execution.ts';
import { otherStaticData, restoreOtherStaticData, stateOf } from './execution.ts';
import { errorOutputOf } from './graph.ts';
import type { GraphNode } from './graph.ts';
import type { ErrorRecord, Item } from './item.ts';
import { allInputItems, linkOutputs, stampInputs } from './item-linking.ts';
import type { Inputs } from './item-linking.ts';
import type { Recorder, RestorableRun } from './journal.ts';
import type { CommittedRun, NodeRun } from './node-run.ts';
import { ExecutionMode } from './node-run.ts';
import { cacheOf, type RunCache } from './node-cache.ts';
import { isAskedAgain } from './node-type.ts';
import type { NodeOutput, WaitedRequest, WaitRequest } from './node-type.ts';
import { withRetry } from './retry.ts';
import { RunContext } from './run-context.ts';
import { RunView } from './run-view.ts';
import type { Task } from './waiting-inputs.ts';
import { Compat, OnError, pinnedItems } from './workflow.ts';

type Outputs = (Item[] | null)[];
interface Finished {
  outputs: Outputs;
  cached?: true;
  error?: ErrorRecord;
}

/** How one run of a node ended: with a record, by asking the execution to wait, or because a sub-workflow in it did. */
export type RunOutcome = { run: NodeRun } | { wait: WaitRequest } | { suspended: true };

/**
 * Runs one node once: takes a committed result as it is, passes disabled and pinned nodes by, else executes with retries,
 * routes errors, links items. Rejects only when the execution itself must end (abort, lost lease).
 */
export async function runNode(execution: Execution, task: Task): Promise<RunOutcome> {
  const { tree, scope, history } = execution;
  const { node } = task;
  const runIndex = history.of(node.name).length;
  const committed = tree.journal.committed(scope, node.name, runIndex);
  if (committed) return { run: restore(execution, committed) };

  const inputs = stampInputs(node.node.executeOnce ? task.inputs.map((items) => items && items.slice(0, 1)) : task.inputs);
  const startedAt = tree.host.now();
  const finish = ({ outputs, error, cached }: Finished): NodeRun => ({
    node: node.name, runIndex,
    status: error ? 'error' : 'success',
    source: task.source, outputs,
    ...(error ? { error } : {}),
    ...(cached ? { cached } : {}),
    ...(execution.compensating ? { compensation: true } : {}),
    startedAt, durationMs: tree.host.now() - startedAt,
  });

  const bypass = bypassed(execution, node, inputs);
  if (bypass) return { run: finish({ outputs: bypass }) };
  const wait = tree.journal.waitOf(scope, node.name, runIndex);
  if (wait && !isAskedAgain(wait.on)) return endWait(execution, wait, inputs, (outputs) => finish({ outputs }));

  if (node.effect === 'effectful') await tree.journal.beforeEffect();
  const recorder = tree.journal.recorder(scope, node.name, runIndex);
  const view = new RunView(execution, { node, runIndex, inputs, source: task.source, recorder });
  const traced = tree.host.trace?.node({ scope, node: node.name, runIndex, type: node.node.type });
  const context = new RunContext(execution, node, view, traced?.headers);
  const output = await cachedOr(cacheOf(execution, node, context), () => attempt(execution, node, context));
  if (context.suspended) return { suspended: true };
  if ('wait' in output) return output;
  const run = finish('failure' in output ? afterFailure(execution, node, inputs, output.failure) : { ...afterSuccess(execution, node, inputs, output.outputs), ...(output.cached && { cached: true }) });
  traced?.end(run.error);
  if (node.effect === 'effectful') await remember(execution, node, { run: committedRun(execution, run, { responded: context.responded, usedStaticData: view.usedStaticData }), recorder });
  return { run };
}

/** What is to be undone is durable at once: whoever ends the execution from outside has to know of it. What a transaction did counts with its commit. */
async function remember(execution: Execution, { node }: GraphNode, { run, recorder }: { run: CommittedRun; recorder: Recorder }): Promise<void> {
  const { tree, scope } = execution;
  if (tree.transaction?.joins(execution, node)) {
    tree.transaction.hold(run);
    return;
  }
  tree.journal.add(scope, run, recorder);
  if (run.undoable) await tree.journal.beforeEffect();
}

/** Whether a run ends the execution. */
export function isFatal(node: GraphNode, run: NodeRun): boolean {
  return run.status === 'error' && (node.node.onError ?? OnError.Stop) === OnError.Stop;
}

/** The outputs of a node that is not executed: disabled (its first input) or pinned in a manual run. */
function bypassed(execution: Execution, node: GraphNode, inputs: Inputs): Outputs | undefined {
  if (node.node.disabled) return [[...(inputs[0] ?? [])]];
  const pinned = execution.mode === ExecutionMode.Manual ? pinnedItems(execution.workflow, node.name) : undefined;
  if (!pinned) return undefined;
  const outputs = [pinned.map((item) => ({ ...item }))];
  linkOutputs(outputs, inputs);
  return outputs;
}

type Attempted = { outputs: Outputs; cached?: true } | { wait: WaitRequest } | { failure: unknown };

/** The result of an earlier run when there is one; else a new one, which later runs may use. */
async function cachedOr(cache: RunCache | undefined, execute: () => Promise<Attempted>): Promise<Attempted> {
  const known = await cache?.read();
  if (known) return { outputs: known, cached: true };
  const output = await execute();
  if ('outputs' in output) cache?.write(output.outputs);
  return output;
}

async function attempt(execution: Execution, node: GraphNode, context: RunContext): Promise<Attempted> {
  const { tree } = execution;
  const isSoftFailure = execution.graph.compat === Compat.Millrace ? hasErrorItem : startsWithErrorField;
  try {
    const output = await withRetry(
      () => executeOnce(node, context),
      (result) => Array.isArray(result) && isSoftFailure(result[0] ?? []),
      // Parts are tried again by whoever works on them.
      node.type?.retriesItself || context.distribute ? undefined : node.node.retry,
      {
        signal: execution.signal, random: () => tree.host.random(), sleep: (ms, signal) => tree.host.sleep(ms, signal),
        mayRetry: () => mayRetry(execution, node),
      },
    );
    if (!Array.isArray(output)) return output;
    context.redaction?.items(output);
    return { outputs: output };
  } catch (error) {
    execution.signal.throwIfAborted();
    tree.journal.throwIfBroken();
    return { failure: context.redaction?.failure(error) ?? error };
  }
}

/** Pure nodes burden nobody, and must come to the same end in every life of the execution. */
async function mayRetry({ tree, workflow, owner }: Execution, { effect }: GraphNode): Promise<boolean> {
  const budget = workflow.settings?.retryBudget;
  if (!budget || effect === 'pure' || !tree.host.mayRetry) return true;
  return tree.host.mayRetry(owner, budget);
}

async function executeOnce(node: GraphNode, context: RunContext): Promise<NodeOutput> {
  if (!node.type) {
    throw new WorkflowError('UnknownNodeType', `There is no node type '${node.node.type}'. Check its spelling, or install the package that brings it.`, { nonRetryable: true });
  }
  const output = node.type.execute(context);
  return output instanceof Promise ? untilAborted(output, context.signal) : output;
}

function afterFailure(execution: Execution, node: GraphNode, inputs: Inputs, failure: unknown): Finished {
  const error = toErrorRecord(failure, { node: node.name, runIndex: execution.history.of(node.name).length });
  if ((node.node.onError ?? OnError.Stop) === OnError.Stop) return { outputs: [], error };
  return { outputs: outputsAfterFailure(inputs, error, errorOutputOf(node), execution.graph.compat), error };
}

function afterSuccess(execution: Execution, node: GraphNode, inputs: Inputs, made: Outputs): Finished {
  const errorOutput = errorOutputOf(node);
  // n8n links after routing, which leaves nodes with an error output unlinked more often; millrace links first.
  if (execution.graph.compat === Compat.Millrace) linkOutputs(made, inputs);
  const outputs = errorOutput === undefined ? made : routeErrorItems(made, inputs, errorOutput);
  linkOutputs(outputs, inputs);
  if (node.node.alwaysOutputData && isEmpty(outputs, execution.graph.compat)) {
    outputs[0] = [{ json: {}, pairedItem: allInputItems(inputs) }];
  }
  return { outputs };
}

/** Up to n8n 2 `alwaysOutputData` looks at the first output only; later, and in millrace, at all. */
function isEmpty(outputs: Outputs, compat: Compat): boolean {
  const looked = compat === Compat.N8nV1 || compat === Compat.N8nV2 ? outputs.slice(0, 1) : outputs;
  return looked.every((items) => !items || items.length === 0);
}

function committedRun(execution: Execution, run: NodeRun, { responded, usedStaticData }: { responded: boolean; usedStaticData: RunView['usedStaticData'] }): CommittedRun {
  const state = stateOf(execution, run.node);
  const others = otherStaticData(execution, usedStaticData);
  return {
    ...run,
    ...(Object.keys(state).length > 0 ? { state: structuredClone(state) } : {}),
    ...(usedStaticData.has(execution.staticData) ? { staticData: execution.staticData.snapshot() } : {}),
    ...(others ? { otherStaticData: others } : {}),
    ...(responded ? { responded } : {}),
    ...(isUndoable(execution, run) ? { undoable: true } : {}),
  };
}

function restore(execution: Execution, committed: RestorableRun): NodeRun {
  const { tree } = execution;
  const { state, staticData, otherStaticData: others, responded, answering, scope: _, order, undoable: __, ...run } = committed;
  if (state) execution.state.set(run.node, structuredClone(state));
  if (staticData) execution.staticData.restore(staticData, order);
  if (others) restoreOtherStaticData(execution, others, order);
  if ((responded || answering) && order > tree.answered) {
    tree.answered = order;
    if (responded) tree.responded = true;
    if (answering) expectAnswer(tree, answering);
  }
  return run;
}

/** Ends a wait with the items that came, or with the input once its time is up; else goes on waiting. */
function endWait(execution: Execution, wait: WaitRequest, inputs: Inputs, finish: (outputs: Outputs) => NodeRun): RunOutcome {
  const { tree } = execution;
  const isOver = tree.waitIsOver || (wait.until !== undefined && tree.host.now() >= wait.until);
  if (!tree.resumeItems && !isOver) return { wait };
  const outputs = [[...(tree.resumeItems ?? inputs[0] ?? [])].map((item) => ({ ...item }))];
  linkOutputs(outputs, inputs);
  const run = finish(outputs);
  const answering = tree.resumeItems && (wait.request ?? {});
  if (answering) expectAnswer(tree, answering);
  tree.journal.add(execution.scope, { ...run, ...(answering && { answering }) });
  return { run };
}

/** From here on the execution answers the call that ended its wait, whether it answered the one that started it or not. */
function expectAnswer(tree: Tree, answering: WaitedRequest): void {
  tree.answering = answering;
  tree.responded = false;
}
