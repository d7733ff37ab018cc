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
import type { PartialRun } from './partial.ts';
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
   * Aborting ends the execution as Canceled, unless the reason is a WorkflowError with code LeaseLost or HandBack: then another
   * life goes on, and `execute` rejects with it.
   */
  signal?: AbortSignal;
  /** Milliseconds since the epoch after which the execution is canceled. Default: start plus the workflow's `settings.timeout`. */
  deadline?: number;
  /** Runs a part of the workflow, with earlier data. */
  partial?: PartialRun;
  /** Earlier runs by node, for a partial execution. */
  runData?: Readonly<Record<string, readonly NodeRun[]>>;
  /** Node runs after which the execution counts as endless. Default 1,000,000. */
  maxNodeRuns?: number;
  /** About how many bytes of items the history may hold before it drops those of old runs nothing refers to. Default 64 MiB. */
  historyBytes?: number;
}

/** Reasons to stop that leave the execution to another life. */
const HANDED_ON: ReadonlySet<string> = new Set(['LeaseLost', 'HandBack']);
/** Timers hold no more than 2^31 - 1 ms; a later deadline is reached in several steps. */
const MAX_SLEEP_MS = 86_400_000;

/**
 * Runs a workflow. Rejects only when this life of the execution must not go on: handed on (see `signal`), a commit failed, or
 * something broke that is no WorkflowError.
 */
export async function execute(request: ExecuteRequest, host: EngineHost, nodeTypes: NodeTypes): Promise<ExecutionResult> {
  const stop = new AbortController();
  const watch = new AbortController();
  const tree = createTree(request, { host, nodeTypes, signal: stop.signal });
  const { executionId, workflow, mode } = request;
  const execution = createExecution(tree, { workflow, executionId, scope: '', mode });
  const cancel = (): void => stop.abort(cancelReason(request.signal?.reason));
  request.signal?.addEventListener('abort', cancel, { once: true });
  if (request.signal?.aborted) cancel();
  try {
    watchDeadline(deadlineOf(request, host), host, stop, watch.signal).catch(() => undefined);
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

/** Stops the execution at its deadline. Rejects when `done` aborts first. */
async function watchDeadline(deadline: number | undefined, host: EngineHost, stop: AbortController, done: AbortSignal): Promise<void> {
  if (deadline === undefined) return;
  for (let left = deadline - host.now(); left > 0; left = deadline - host.now()) await host.sleep(Math.min(left, MAX_SLEEP_MS), done);
  stop.abort(new WorkflowError('ExecutionTimeout', 'The execution reached its time limit. Raise settings.timeout, or let it do less.'));
}

function deadlineOf({ deadline, workflow }: ExecuteRequest, host: EngineHost): number | undefined {
  const timeout = workflow.settings?.timeout;
  return deadline ?? (timeout === undefined ? undefined : host.now() + durationMs(timeout));
}

function cancelReason(reason: unknown): WorkflowError {
  if (reason instanceof WorkflowError && HANDED_ON.has(reason.code)) return reason;
  return new WorkflowError('ExecutionCanceled', 'The execution was canceled.');
}

/** Whether an error ends the execution for good, so that it has a result; anything else is for another life. */
function isEnd(error: unknown, { signal, journal }: Tree): error is WorkflowError {
  return error instanceof WorkflowError && error !== journal.failure && !(error === signal.reason && HANDED_ON.has(error.code));
}

function stopped(execution: Execution, error: WorkflowError): ExecutionResult {
  const { history, staticData, tree } = execution;
  const changes = staticData.changes();
  const node = execution.running;
  const lastNode = node ?? history.runs.at(-1)?.node;
  return {
    status: error === tree.signal.reason ? ExecutionStatus.Canceled : ExecutionStatus.Failed,
    error: toErrorRecord(error, node === undefined ? {} : { node }),
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
