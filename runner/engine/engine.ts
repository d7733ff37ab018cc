import { durationMs } from './duration.ts';
import { toErrorRecord, WorkflowError } from './error.ts';
import { runErrorWorkflow } from './error-workflow.ts';
import { createExecution } from './execution.ts';
import type { Execution, Tree } from './execution.ts';
import type { NodeTypes } from './graph.ts';
import type { EngineHost } from './host.ts';
import type { Item } from './item.ts';
import { Journal } from './journal.ts';
import { ExecutionMode, ExecutionStatus } from './node-run.ts';
import type { Checkpoint, ExecutionResult, NodeRun } from './node-run.ts';
import { planPartial } from './partial.ts';
import type { Partial } from './partial.ts';
import { runExecution } from './run-execution.ts';
import { runChild } from './sub-workflow.ts';
import { finalResponse } from './webhook-response.ts';
import type { WorkflowDefinition } from './workflow.ts';

/** One execution to run, or to take over. Plain data but for the signal. */
export interface ExecuteRequest {
  executionId: string;
  workflow: WorkflowDefinition;
  mode: ExecutionMode;
  /** The trigger and the items it starts with. */
  start: { node: string; items: readonly Item[] };
  /** Checkpoints of earlier lives, in order. */
  resume?: readonly Checkpoint[];
  /** Items that end the wait the execution is in. Without them it goes on only once the wait's time is up. */
  resumeItems?: readonly Item[];
  /**
   * Aborting with a WorkflowError whose code is ExecutionCanceled, or with anything that is no WorkflowError, ends the execution
   * as Canceled. Any other WorkflowError (LeaseLost, say) means that another life will go on: `execute` rejects with it.
   */
  signal?: AbortSignal;
  /** Milliseconds since the epoch after which the execution is canceled. Default: start plus the workflow's `settings.timeout`. */
  deadline?: number;
  /** Runs a part of the workflow, with earlier data. */
  partial?: Partial;
  /** Earlier runs by node, for a partial execution. */
  runData?: Readonly<Record<string, readonly NodeRun[]>>;
  /** Node runs after which the execution counts as endless. Default 1,000,000. */
  maxNodeRuns?: number;
  /** About how many bytes of items the history may hold before it drops those of old runs nothing refers to. Default 64 MiB. */
  historyBytes?: number;
}

/** Runs a workflow. Rejects only when this life of the execution must not go on: see `signal`, and `EngineHost.commit`. */
export async function execute(request: ExecuteRequest, host: EngineHost, nodeTypes: NodeTypes): Promise<ExecutionResult> {
  const stop = new AbortController();
  const watch = new AbortController();
  const tree = createTree(request, { host, nodeTypes, signal: stop.signal });
  const { executionId, workflow, mode } = request;
  const execution = createExecution(tree, { workflow, executionId, scope: '', mode });
  const cancel = (): void => stop.abort(cancelReason(request.signal?.reason));
  request.signal?.addEventListener('abort', cancel, { once: true });
  if (request.signal?.aborted) cancel();
  watchDeadline(request, host, stop, watch.signal);
  try {
    const result = await runTree(execution, request);
    return withResponse(execution, request, result);
  } catch (error) {
    if (!isEnd(error, tree)) throw error;
    return withResponse(execution, request, stopped(execution, error));
  } finally {
    watch.abort();
    request.signal?.removeEventListener('abort', cancel);
  }
}

async function runTree(execution: Execution, request: ExecuteRequest): Promise<ExecutionResult> {
  const { tree } = execution;
  const plan = request.partial ? planPartial(execution, request.start, request.partial, request.runData ?? {}) : undefined;
  const result = await runExecution(execution, request.start, plan);
  await Promise.all(tree.background);
  tree.signal.throwIfAborted();
  tree.journal.throwIfBroken();
  // A sub-workflow nobody waits for may wait itself: the execution is over when it is.
  if (tree.suspended) return { ...result, status: ExecutionStatus.Waiting, wait: tree.suspended };
  await runErrorWorkflow(execution, result);
  return result;
}

function createTree(request: ExecuteRequest, given: Pick<Tree, 'host' | 'nodeTypes' | 'signal'>): Tree {
  return {
    ...given,
    journal: new Journal(given.host, request.resume ?? []),
    runChild,
    resumeItems: request.resumeItems,
    historyBytes: request.historyBytes ?? 64 * 1024 * 1024,
    maxNodeRuns: request.maxNodeRuns ?? 1_000_000,
    nodeRuns: 0,
    suspended: undefined,
    responded: false,
    background: new Set(),
    lastYield: given.host.now(),
  };
}

/** Stops the execution at its deadline. */
function watchDeadline(request: ExecuteRequest, host: EngineHost, stop: AbortController, done: AbortSignal): void {
  const timeout = request.workflow.settings?.timeout;
  const left = request.deadline === undefined ? timeout && durationMs(timeout) : request.deadline - host.now();
  if (typeof left !== 'number') return;
  host.sleep(Math.max(0, left), done).then(
    () => stop.abort(new WorkflowError('ExecutionTimeout', `The execution took longer than ${timeout ?? 'it may'}. Raise settings.timeout, or make it do less.`)),
    () => undefined,
  );
}

function cancelReason(reason: unknown): WorkflowError {
  return reason instanceof WorkflowError ? reason : new WorkflowError('ExecutionCanceled', 'The execution was canceled.');
}

/** Whether an error ends the execution for good, so that it has a result; anything else is for another life. */
function isEnd(error: unknown, { signal }: Tree): error is WorkflowError {
  if (!(error instanceof WorkflowError)) return false;
  if (error.code === 'EndlessLoop' || error.code === 'StartNodeMissing' || error.code === 'PartialDataMissing') return true;
  return error === signal.reason && (error.code === 'ExecutionCanceled' || error.code === 'ExecutionTimeout');
}

function stopped(execution: Execution, error: WorkflowError): ExecutionResult {
  const { history, staticData, tree } = execution;
  const changes = staticData.changes();
  const lastNode = history.runs.at(-1)?.node;
  return {
    status: error === tree.signal.reason ? ExecutionStatus.Canceled : ExecutionStatus.Failed,
    error: toErrorRecord(error),
    ...(lastNode === undefined ? {} : { lastNode }),
    runs: history.runs,
    ...(changes ? { staticData: changes } : {}),
  };
}

/** Manual runs keep no static data; a webhook that nobody answered yet is answered from the result. */
function withResponse(execution: Execution, request: ExecuteRequest, result: ExecutionResult): ExecutionResult {
  const { staticData, ...rest } = result;
  const kept = staticData && request.mode !== ExecutionMode.Manual ? { ...rest, staticData } : rest;
  const trigger = execution.graph.nodes.get(request.start.node)?.node;
  const isAnswerDue = request.mode === ExecutionMode.Webhook && !execution.tree.responded && result.status !== ExecutionStatus.Waiting;
  return isAnswerDue && trigger ? { ...kept, response: finalResponse(trigger, result) } : kept;
}
