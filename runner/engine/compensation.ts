import { stopAt } from './deadline.ts';
import { durationMs } from './duration.ts';
import { isUndoable } from './ending.ts';
import { toErrorRecord, WorkflowError } from './error.ts';
import type { Execution } from './execution.ts';
import type { Compensation } from './graph.ts';
import type { ErrorRecord } from './item.ts';
import type { Ending, ExecutionResult, NodeRun } from './node-run.ts';
import { wayTo } from './journal.ts';
import { ExecutionStatus } from './node-run.ts';
import { ended } from './execution-end.ts';
import { drain } from './run-execution.ts';
import { createScheduler } from './scheduler.ts';
import type { Task } from './waiting-inputs.ts';

/** Time for all compensations of an execution, unless its workflow says another one; milliseconds. */
const TIMEOUT_MS = 600_000;
/** What a life after a crash gets at least; milliseconds. */
const REPLAY_MS = 10_000;
/** Runs that the message of CompensationFailed names. */
const MAX_NAMED = 20;

/** A run that was not undone, and why. */
interface Failure {
  run: Pick<NodeRun, 'node' | 'runIndex'>;
  error: ErrorRecord;
}

/**
 * Ends an execution: when it failed, was canceled or ran out of time, what its effectful nodes did is undone first, the last run first, by the
 * branches that wires of type `compensation` lead to. Each takes the items of the run it undoes. One that fails keeps no other from running; the
 * execution then ends as Failed with code CompensationFailed. `bound` stops compensating; `execution.signal`, which may have ended the
 * execution, does not. Rejects when this life of the execution must not go on.
 */
export async function undone(execution: Execution, result: ExecutionResult, bound: AbortSignal): Promise<ExecutionResult> {
  const end = asDecided(execution, result);
  if (end.status !== ExecutionStatus.Failed && end.status !== ExecutionStatus.Canceled) return end;
  const runs = toUndo(execution);
  const cut = execution.ending?.cutOff ?? cutOff(execution);
  if (runs.length === 0 && cut.length === 0) return end;
  const ending = decide(execution, end, cut);
  const time = new AbortController();
  const done = new AbortController();
  const compensating: Execution = { ...execution, ending, compensating: true, signal: AbortSignal.any([bound, time.signal]) };
  stopAt(lastMoment(execution, ending.at), execution.tree.host, time, done.signal);
  try {
    return await undoAll(compensating, runs, end, time.signal);
  } finally {
    done.abort('over');
  }
}

/** What an earlier life decided holds, whatever a replay comes to. */
function asDecided({ ending }: Execution, result: ExecutionResult): ExecutionResult {
  if (!ending) return result;
  const { error: _, lastNode: __, wait: ___, ...rest } = result;
  const { status, error, lastNode } = ending;
  return { ...rest, status, ...(error ? { error } : {}), ...(lastNode === undefined ? {} : { lastNode }) };
}

/** Becomes durable with what comes first: an effect of a compensation, or a wait in one. */
function decide({ ending, tree, scope, history }: Execution, { status, error, lastNode }: ExecutionResult, cut: NonNullable<Ending['cutOff']>): Required<Pick<Ending, 'after' | 'at'>> & Ending {
  if (ending?.after !== undefined && ending.at !== undefined) return { ...ending, after: ending.after, at: ending.at };
  const decided = {
    status: status === ExecutionStatus.Canceled ? ExecutionStatus.Canceled : ExecutionStatus.Failed,
    ...(error ? { error } : {}), ...(lastNode === undefined ? {} : { lastNode }), after: history.runs.length, at: tree.host.now(), cutOff: cut,
  };
  tree.journal.end(scope, decided);
  return decided;
}

/** A later life has to take over first what was undone before, however late it is. */
function lastMoment({ workflow, ending, tree }: Execution, endedAt: number): number {
  const timeout = workflow.settings?.compensationTimeout;
  const moment = endedAt + (timeout === undefined ? TIMEOUT_MS : durationMs(timeout));
  return ending?.at === undefined ? moment : Math.max(moment, tree.host.now() + REPLAY_MS);
}

/** The runs that have to be undone, the last one first. */
function toUndo(execution: Execution): readonly NodeRun[] {
  return execution.history.runs.filter((run) => isUndoable(execution, run) && tasksOf(execution, run).length > 0).toReversed();
}

/** One first run per wire; an output without items has nothing to undo. */
function tasksOf(execution: Execution, run: NodeRun): Task[] {
  const compensations: readonly Compensation[] = execution.graph.nodes.get(run.node)?.compensations ?? [];
  return compensations.flatMap(({ output, node, input }) => {
    const items = run.outputs[output];
    if (!items || items.length === 0) return [];
    const before = Array.from({ length: input }, () => null);
    return [{ node, inputs: [...before, items], source: [...before, { node: run.node, output, run: run.runIndex }] }];
  });
}

async function undoAll(execution: Execution, runs: readonly NodeRun[], end: ExecutionResult, time: AbortSignal): Promise<ExecutionResult> {
  const failures: Failure[] = (execution.ending?.cutOff ?? []).map((run) => ({ run, error: toErrorRecord(wasCutOff()) }));
  const before = failures.length;
  for (const run of runs) {
    const outcome = time.aborted ? { error: toErrorRecord(timedOut()) } : await undo(execution, run, time);
    if (outcome && 'wait' in outcome) return outcome;
    if (outcome) failures.push({ run, error: outcome.error });
  }
  const { history, staticData } = execution;
  const changes = staticData.changes();
  const result = { ...end, runs: history.runs, compensated: runs.length - (failures.length - before), ...(changes ? { staticData: changes } : {}) };
  return failures.length === 0 ? result : { ...result, status: ExecutionStatus.Failed, error: compensationFailed(end.error, failures) };
}

/** Undoes one run along all its wires; gives the first error, or the result that makes the execution wait. */
async function undo(execution: Execution, run: NodeRun, time: AbortSignal): Promise<{ error: ErrorRecord } | (ExecutionResult & { wait: object }) | undefined> {
  let first: ErrorRecord | undefined;
  for (const task of tasksOf(execution, run)) {
    const { status, error, wait, ...rest } = await runBranch(execution, task, time);
    if (status === ExecutionStatus.Waiting && wait) return { ...rest, status, wait };
    if (status === ExecutionStatus.Failed) first ??= error ?? toErrorRecord(new WorkflowError('NodeFailed', 'The compensation failed.'));
  }
  return first && { error: first };
}

async function runBranch(execution: Execution, task: Task, time: AbortSignal): Promise<ExecutionResult> {
  const { graph, history } = execution;
  const scheduler = createScheduler({ graph, includes: () => true, hasRun: (name) => history.of(name).length > 0 });
  scheduler.add(task);
  // An endless loop, in the execution or another branch, has used up what it had.
  execution.tree.nodeRuns = 0;
  try {
    return await drain(execution, scheduler, undefined);
  } catch (error) {
    if (time.aborted && error === time.reason) return ended(execution, ExecutionStatus.Failed, { error: toErrorRecord(timedOut()) });
    if (error instanceof WorkflowError && error.code === 'EndlessLoop') return ended(execution, ExecutionStatus.Failed, { error: toErrorRecord(error) });
    throw error;
  }
}

/** What sub-workflows did that no finished run of a node stands for. */
function cutOff({ tree, scope, history }: Execution): NonNullable<Ending['cutOff']> {
  const below = tree.journal.undoableBelow(scope);
  if (below.length === 0) return [];
  const finished = history.runs.map(({ node, runIndex }) => wayTo({ scope, node, runIndex }));
  return below.filter((run) => !finished.some((way) => run.scope.startsWith(way))).map(({ node, runIndex }) => ({ node, runIndex }));
}

function wasCutOff(): WorkflowError {
  return new WorkflowError('SubWorkflowCutOff', 'The sub-workflow it belongs to was under way when its caller ended.');
}

function timedOut(): WorkflowError {
  return new WorkflowError('CompensationTimeout', 'The time for compensations was over. Raise settings.compensationTimeout.');
}

function compensationFailed(cause: ErrorRecord | undefined, failures: readonly Failure[]): ErrorRecord {
  const named = failures.slice(0, MAX_NAMED).map(({ run: { node, runIndex }, error: { code, message } }) => `run ${runIndex} of '${node}' (${code}: ${message})`);
  const more = failures.length - named.length;
  const first = failures[0]?.run;
  return {
    code: 'CompensationFailed',
    message: `${failures.length} of the runs before could not be undone; do it by hand: ${named.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`,
    ...(first ? { node: first.node, runIndex: first.runIndex } : {}),
    ...(cause ? { description: `What ended the execution before: ${cause.code}${cause.node === undefined ? '' : ` in '${cause.node}'`}: ${cause.message}` } : {}),
  };
}
