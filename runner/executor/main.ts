/**
 * Entry of an executor process. It is started by a supervisor with an IPC channel, its limits as argument and
 * file descriptor 4 to write its current work to. It has no credentials.
 */
import process from 'node:process';
import { execute } from '../engine/engine.ts';
import { toErrorRecord, WorkflowError } from '../engine/error.ts';
import { startNode } from '../engine/start-node.ts';
import type { BinaryStore } from '../engine/host.ts';
import type { ErrorRecord, Item } from '../engine/item.ts';
import { ExecutionStatus, type ExecutionResult } from '../engine/node-run.ts';
import { partitionResultOf } from '../engine/partitions.ts';
import { sliceItems } from '../engine/slice-items.ts';
import type { WorkflowDefinition } from '../engine/workflow.ts';
import type { Trigger } from '../../store/request.ts';
import { blockList, createFetch } from '../egress.ts';
import { nodeTypes } from '../nodes/registry.ts';
import { PostgresPools } from '../postgres/pools.ts';
import { createSandbox } from '../sandbox/create-sandbox.ts';
import { Calls } from './calls.ts';
import { currentWorkWriter } from './current-work.ts';
import { withEncodedRuns } from './encode-runs.ts';
import { BEAT_MS, CancelReason, type Assignment, type ExecutorLimits, type ToExecutor, type ToSupervisor } from './protocol.ts';
import { PythonMemory } from './python-memory.ts';
import { RevisionCache } from './revision-cache.ts';
import { SpanRecorder } from './span-recorder.ts';
import { supervisedHost } from './supervised-host.ts';
import { tracedSandbox } from './traced-sandbox.ts';

const WORK_FD = 4;
const CACHED_REVISIONS = 1000;
/** Errors that no other life of the execution would be spared. */
const FATAL = new Set(['RevisionNotFound', 'StartNodeMissing', 'PartialDataMissing', 'PayloadRefused', 'BinaryNotFound', 'InvalidFile']);

/** How an execution is stopped: now, or at the next node boundary. */
interface Stops {
  abort: AbortController;
  handBack: AbortController;
}

// A supervisor that is gone is noticed by `disconnect`.
const send = (message: ToSupervisor): void => void process.send?.(message, undefined, undefined, () => undefined);
const calls = new Calls(send);
const limits = JSON.parse(process.argv[2] ?? '') as ExecutorLimits;
const egress = createFetch(limits.deniedCidrs);
const databases = new PostgresPools({ denied: blockList(limits.deniedCidrs), maxConnections: limits.databaseConnections });
const python = new PythonMemory(() => send({ kind: 'pythonWanted' }));
const sandbox = tracedSandbox(createSandbox(() => python.get()), currentWorkWriter(WORK_FD));
const revisions = new RevisionCache(CACHED_REVISIONS);
const running = new Map<string, Stops>();
let settings: Pick<Extract<ToExecutor, { kind: 'configure' }>, 'variables' | 'baseUrl'> = { variables: {}, baseUrl: '' };

async function run(assignment: Assignment, { abort, handBack }: Stops, trace?: SpanRecorder): Promise<ExecutionResult> {
  const { executionId, start, resume, timeoutMs, ending, resumeToken } = assignment;
  const onOutage = (): void => (abort.signal.aborted ? handBack : abort).abort(new WorkflowError(CancelReason.HandBack, 'The store cannot be reached.'));
  const host = supervisedHost(assignment, { calls, revisions, sandbox, fetch: egress.fetch, databases, send, onOutage, ...settings });
  const workflow = await revisions.get(assignment.revision, (revision) => calls.call(assignment.id, 'loadRevision', revision), { id: assignment.workflowId });
  return execute(
    {
      executionId,
      workflow,
      mode: assignment.mode,
      start: { node: startOf(workflow, start), items: await itemsOf(start, host.binaries) },
      ...(start.partial && { partial: start.partial }),
      ...(start.partial?.dataOf !== undefined && { runData: Map.groupBy(await calls.call(assignment.id, 'loadRuns', start.partial.dataOf), ({ node }) => node) }),
      resume: assignment.checkpoints,
      signal: abort.signal,
      handBack: handBack.signal,
      resumeToken,
      ...(start.underError === true ? { underError: true } : {}),
      ...(ending ? { ending } : {}),
      ...(resume?.cause === 'timeout' ? { waitIsOver: true } : {}),
      ...(resume?.items ? { resumeItems: resume.items } : {}),
      ...(timeoutMs === undefined ? {} : { deadline: host.now() + timeoutMs }),
    },
    trace ? { ...host, trace } : host,
    nodeTypes,
  );
}

/** Of a part of another execution's work, they may be what a slice of a range or a file holds. */
async function itemsOf({ items, partition }: Trigger, binaries: BinaryStore): Promise<readonly Item[]> {
  return partition?.slice ? sliceItems(partition.slice, (file, offset, length) => binaries.read(file, offset, length)) : items;
}

/** A part that begins at a named node needs no trigger. */
function startOf(workflow: WorkflowDefinition, { node, partial }: Trigger): string {
  return node === undefined && partial?.from !== undefined ? '' : startNode(workflow, nodeTypes, node);
}

async function start(assignment: Assignment): Promise<void> {
  const { id } = assignment;
  const stops = { abort: new AbortController(), handBack: new AbortController() };
  running.set(id, stops);
  const trace = assignment.trace && new SpanRecorder(assignment.trace, {
    now: () => Date.now() + assignment.clockOffsetMs, send: (spans) => send({ kind: 'spans', assignment: id, spans }),
  });
  try {
    const result = await run(assignment, stops, trace).finally(() => trace?.close());
    await finish(assignment, result);
  } catch (error) {
    const record = toErrorRecord(error);
    if (FATAL.has(record.code)) await fail(assignment, record, stops);
    else send({ kind: 'abandoned', assignment: id, code: record.code, message: record.message });
  } finally {
    running.delete(id);
  }
}

/** Ends an execution that could not go on, with its error workflow, if it can have one. */
async function fail(assignment: Assignment, failure: ErrorRecord, stops: Stops): Promise<void> {
  let result: ExecutionResult = { status: ExecutionStatus.Failed, error: failure, runs: [] };
  try {
    const { partition: _, ...start } = assignment.start;
    result = await run({ ...assignment, start, ending: { status: ExecutionStatus.Failed, error: failure } }, stops);
  } catch (error) {
    // What it cannot go on for keeps it from this, too: the failure itself is what has to be reported.
    send({ kind: 'console', executionId: assignment.executionId, node: failure.node ?? '', level: 'warn', text: `The error workflow was not started. ${toErrorRecord(error).message}` });
  }
  await finish(assignment, result);
}

async function finish(assignment: Assignment, result: ExecutionResult): Promise<void> {
  const { partition: part } = assignment.start;
  const partition = part && result.status !== ExecutionStatus.Waiting ? { partition: partitionResultOf(result, part.collect) } : {};
  send({ kind: 'finished', assignment: assignment.id, result: { ...await withEncodedRuns(result, assignment.save), ...partition } });
}

/** One that was canceled, and is being undone, can still be taken away. */
function stop(assignment: string, reason: CancelReason): void {
  const stops = running.get(assignment);
  const error = new WorkflowError(reason, `The execution was stopped: ${reason}.`);
  if (stops?.abort.signal.aborted && reason !== CancelReason.Canceled) stops.handBack.abort(error);
  else stops?.abort.abort(error);
}

process.on('message', (message: ToExecutor) => {
  switch (message.kind) {
    case 'configure':
      settings = message;
      break;
    case 'start':
      void start(message.assignment);
      break;
    case 'cancel':
      stop(message.assignment, message.reason);
      break;
    case 'handBack':
      running.get(message.assignment)?.handBack.abort(new WorkflowError(CancelReason.HandBack, 'Another runner goes on with the execution: this one is stopping.'));
      break;
    case 'python':
      python.receive(message);
      break;
    case 'answer':
      calls.answer(message);
      break;
  }
});
// Without its supervisor nobody can store what this process computes.
process.on('disconnect', () => process.exit(0));
setInterval(() => send({ kind: 'beat' }), BEAT_MS);
send({ kind: 'ready' });
