import { undone } from './compensation.ts';
import { runPartitions } from './distribute.ts';
import { durationMs } from './duration.ts';
import { stopAt } from './deadline.ts';
import { WorkflowError } from './error.ts';
import { startErrorWorkflow } from './error-workflow.ts';
import { createExecution } from './execution.ts';
import type { Execution, Tree } from './execution.ts';
import { hasCompensations } from './graph.ts';
import type { NodeTypes } from './graph.ts';
import type { EngineHost } from './host.ts';
import type { Item } from './item.ts';
import { Journal } from './journal.ts';
import { ExecutionMode, ExecutionStatus } from './node-run.ts';
import type { Checkpoint, Ending, ExecutionResult, StaticDataChanges } from './node-run.ts';
import { planPartial } from './partial.ts';
import type { PartialRun, RunData } from './partial.ts';
import { stopped, waitOf } from './execution-end.ts';
import { RunTransaction } from './run-transaction.ts';
import { runExecution } from './run-execution.ts';
import { runChild } from './sub-workflow.ts';
import { TRANSACTION_CREDENTIAL, transactionProblem } from './transaction-rules.ts';
import { finalResponse } from './webhook-response.ts';
import type { Answering } from './webhook-response.ts';
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
  /** The wait's time is up by the clock of whoever woke the execution, whatever the host's says. */
  waitIsOver?: boolean;
  /**
   * Aborting ends the execution as Canceled, unless the reason is a WorkflowError with code LeaseLost or HandBack: then another
   * life goes on, and `execute` rejects with it.
   */
  signal?: AbortSignal;
  /** Aborting it, with a WorkflowError HandBack, leaves the execution to another life at the next node boundary: `execute` rejects with it. */
  handBack?: AbortSignal;
  /** Makes the address that ends a wait unguessable. Absent: it needs no more than the execution's id. */
  resumeToken?: string;
  /** The execution descends from an error workflow: it starts none itself. */
  underError?: boolean;
  /**
   * How somebody else ended the execution. Nothing new runs any more: what it did is undone, its error workflow starts, and its caller is
   * answered. What its checkpoints say about its end comes first.
   */
  ending?: Ending;
  /** Milliseconds since the epoch after which the execution is canceled. Default: start plus the workflow's `settings.timeout`. */
  deadline?: number;
  /** Runs a part of the workflow, with earlier data. */
  partial?: PartialRun;
  /** Earlier runs by node, for a partial execution. */
  runData?: RunData;
  /** Node runs after which the execution counts as endless. Default 1,000,000. */
  maxNodeRuns?: number;
  /** About how many bytes of items the history may hold before it drops those of old runs nothing refers to. Default 64 MiB. */
  historyBytes?: number;
}

/** Reasons to stop that leave the execution to another life. */
const HANDED_ON: ReadonlySet<string> = new Set(['LeaseLost', 'HandBack']);

/** Reason to stop what watches a run that has ended. */
const OVER = 'over';

/**
 * Runs a workflow. Rejects only when this life of the execution must not go on: handed on (see `signal`), a commit failed, or
 * something broke that is no WorkflowError.
 */
export async function execute(request: ExecuteRequest, host: EngineHost, nodeTypes: NodeTypes): Promise<ExecutionResult> {
  const stop = new AbortController();
  const done = new AbortController();
  const { executionId, workflow, mode } = request;
  const tree = createTree(request, { host, nodeTypes });
  const underError = request.underError === true || mode === ExecutionMode.Error;
  const execution = createExecution(tree, { workflow, owner: workflow.id, executionId, scope: '', mode, underError, only: request.partial?.only, signal: stop.signal }, { stored: host.staticData, ending: request.ending });
  const handedOn = new AbortController();
  const cancel = (): void => {
    const reason = cancelReason(request.signal?.reason);
    if (HANDED_ON.has(reason.code)) handedOn.abort(reason);
    // What has ended already is not ended once more.
    if (!execution.ending || HANDED_ON.has(reason.code)) stop.abort(reason);
  };
  request.signal?.addEventListener('abort', cancel, { once: true });
  if (request.signal?.aborted) cancel();
  try {
    const watch = (): void => stopAt(deadlineOf(request, host), host, stop, done.signal);
    const result = await runToEnd(execution, request, { watch, handedOn: handedOn.signal });
    // Now everything has come to a boundary: what a later life needs to come back to this wait is complete.
    if (tree.suspended) await tree.journal.suspend(tree.suspended);
    return concluded(execution, request, result);
  } catch (error) {
    // Whoever goes on does not repeat what is finished.
    if (error instanceof WorkflowError && error.code === 'HandBack') await tree.journal.beforeEffect();
    throw error;
  } finally {
    // Without a reason, an error with a stack would be made for nobody.
    done.abort(OVER);
    request.signal?.removeEventListener('abort', cancel);
  }
}

async function runToEnd(execution: Execution, request: ExecuteRequest, { watch, handedOn }: { watch: () => void; handedOn: AbortSignal }): Promise<ExecutionResult> {
  const end = await endOf(execution, async () => {
    if (!execution.ending) watch();
    return runTree(execution, request);
  });
  const result = request.partial ? end : await undone(execution, end, handedOn);
  if (result.status !== ExecutionStatus.Failed) return result;
  // What ended the execution does not keep its error workflow from starting.
  const failed = end.status === ExecutionStatus.Failed ? execution : { ...execution, signal: handedOn };
  return endOf(failed, async () => {
    await startErrorWorkflow(failed, result);
    return suspendedOr(failed.tree, result);
  });
}

async function runTree(execution: Execution, request: ExecuteRequest): Promise<ExecutionResult> {
  const { tree } = execution;
  const { ending } = execution;
  if (ending && (request.partial || !(hasCompensations(execution.graph) || execution.tree.journal.undoableBelow('').length > 0))) return failed(ending);
  const plan = request.partial ? planPartial(execution, request.start, request.partial, request.runData ?? new Map()) : undefined;
  if (tree.transaction && request.partial?.from !== undefined) {
    throw new WorkflowError('TransactionNotPossible', 'What an earlier execution did in its transaction is not part of this one: start the workflow from its beginning.', { nonRetryable: true });
  }
  return inTransaction(execution, async () => {
    const result = await runExecution(execution, request.start, plan);
    await Promise.all(tree.background);
    execution.signal.throwIfAborted();
    tree.journal.throwIfBroken();
    if (tree.handedBack) tree.handBack?.throwIfAborted();
    return suspendedOr(tree, result);
  });
}

/** The transaction that the workflow asks for is committed once `run` has succeeded, and else taken back. */
async function inTransaction(execution: Execution, run: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
  const { tree: { transaction, journal, host }, workflow, owner, signal } = execution;
  if (!transaction) return run();
  const problem = transactionProblem(workflow);
  if (problem) throw new WorkflowError('TransactionNotPossible', problem.message, { nonRetryable: true });
  try {
    await transaction.adopt(execution, async (node) => {
      const { name = '' } = node.credentials?.[TRANSACTION_CREDENTIAL] ?? {};
      const fields = await host.credential({ type: TRANSACTION_CREDENTIAL, name, node: node.name, workflow });
      return host.databases.connect({ namespace: owner.split('/')[0] ?? '', fields, signal });
    });
    const result = await run();
    if (result.status === ExecutionStatus.Succeeded) await transaction.commit(journal, () => host.random());
    if (result.status !== ExecutionStatus.Waiting || !transaction.isOpen) return result;
    throw new WorkflowError('TransactionNotPossible', 'A sub-workflow waits while the transaction of settings.transaction is open. Call it without waiting for it, or before the first node of the transaction.', { nonRetryable: true });
  } finally {
    await transaction.close();
  }
}

/** What `run` resolves to; an error that ends the execution for good is a result, too. */
async function endOf(execution: Execution, run: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
  try {
    return await run();
  } catch (error) {
    if (!isEnd(error, execution)) throw error;
    return stopped(execution, error);
  }
}

/** A sub-workflow nobody waits for, or the error workflow, may wait itself: the execution is over when they are. */
function suspendedOr({ suspended }: Tree, result: ExecutionResult): ExecutionResult {
  return suspended ? { ...result, status: ExecutionStatus.Waiting, wait: waitOf(suspended) } : result;
}

function createTree(request: ExecuteRequest, given: Pick<Tree, 'host' | 'nodeTypes'>): Tree {
  const { executionId, resumeToken } = request;
  return {
    ...given,
    journal: new Journal(given.host, request.resume ?? []),
    transaction: request.workflow.settings?.transaction && new RunTransaction(request.workflow.settings.transaction.credential),
    handBack: request.handBack,
    handedBack: false,
    resumePath: resumeToken === undefined ? executionId : `${executionId}/${resumeToken}`,
    runChild,
    runPartitions,
    resumeItems: request.resumeItems,
    waitIsOver: request.waitIsOver === true,
    historyBytes: request.historyBytes ?? 64 * 1024 * 1024,
    maxNodeRuns: request.maxNodeRuns ?? 1_000_000,
    nodeRuns: 0,
    suspended: undefined,
    responded: false,
    answering: undefined,
    answered: -1,
    staticData: new Map(),
    background: new Set(),
    lastYield: given.host.now(),
  };
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
function isEnd(error: unknown, { signal, tree }: Execution): error is WorkflowError {
  if (!(error instanceof WorkflowError) || error === tree.journal.failure) return false;
  return !HANDED_ON.has(error.code) || (error !== signal.reason && error !== tree.handBack?.reason);
}

function failed({ status, error, lastNode = error?.node }: Ending): ExecutionResult {
  return { status, ...(error && { error }), ...(lastNode === undefined ? {} : { lastNode }), runs: [] };
}

/** Manual runs keep no static data; a call that nobody answered yet is answered from the result. */
function concluded(execution: Execution, request: ExecuteRequest, result: ExecutionResult): ExecutionResult {
  const { staticData, ...rest } = result;
  const others = otherChanges(execution);
  const kept = request.mode === ExecutionMode.Manual ? rest : { ...rest, ...(staticData && { staticData }), ...(others && { otherStaticData: others }) };
  const answering = execution.tree.responded || result.status === ExecutionStatus.Waiting ? undefined : answeringOf(execution, request);
  return answering ? { ...kept, response: finalResponse(answering, result) } : kept;
}

/** Who tells how the caller is answered: the wait that a call ended, else the webhook. */
function answeringOf({ tree, graph }: Execution, { mode, start }: ExecuteRequest): Answering | undefined {
  return tree.answering ?? (mode === ExecutionMode.Webhook ? graph.nodes.get(start.node)?.node : undefined);
}

function otherChanges({ tree, staticData }: Execution): Record<string, StaticDataChanges> | undefined {
  const changed = [...tree.staticData].flatMap(([id, data]) => {
    const changes = data === staticData ? undefined : data.changes();
    return changes ? [[id, changes] as const] : [];
  });
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}
