/**
 * Entry of an executor process. It is started by a supervisor with an IPC channel, the denied networks as its argument and
 * file descriptor 4 to write its current work to. It has no credentials.
 */
import process from 'node:process';
import { execute } from '../engine/engine.ts';
import { toErrorRecord, WorkflowError } from '../engine/error.ts';
import { startNode } from '../engine/start-node.ts';
import { ExecutionStatus, type ExecutionResult } from '../engine/node-run.ts';
import { createFetch } from '../egress.ts';
import { nodeTypes } from '../nodes/registry.ts';
import { createSandbox } from '../sandbox/create-sandbox.ts';
import { Calls } from './calls.ts';
import { currentWorkWriter } from './current-work.ts';
import { BEAT_MS, type Assignment, type ToExecutor, type ToSupervisor } from './protocol.ts';
import { RevisionCache } from './revision-cache.ts';
import { supervisedHost } from './supervised-host.ts';
import { tracedSandbox } from './traced-sandbox.ts';

const WORK_FD = 4;
const CACHED_REVISIONS = 1000;
/** Before the engine starts: errors that no other life of the execution would be spared. */
const FATAL = new Set(['RevisionNotFound', 'StartNodeMissing']);

// A supervisor that is gone is noticed by `disconnect`.
const send = (message: ToSupervisor): void => void process.send?.(message, undefined, undefined, () => undefined);
const calls = new Calls(send);
const egress = createFetch(JSON.parse(process.argv[2] ?? '[]') as string[]);
const sandbox = tracedSandbox(createSandbox(), currentWorkWriter(WORK_FD));
const revisions = new RevisionCache(CACHED_REVISIONS, (revision, assignment) => calls.call(assignment, 'loadRevision', revision));
const running = new Map<string, AbortController>();
let settings: Pick<Extract<ToExecutor, { kind: 'configure' }>, 'variables' | 'baseUrl'> = { variables: {}, baseUrl: '' };

async function run(assignment: Assignment, signal: AbortSignal): Promise<ExecutionResult> {
  const { executionId, start, resume, timeoutMs } = assignment;
  const host = supervisedHost(assignment, { calls, sandbox, fetch: egress.fetch, send, ...settings });
  const definition = await revisions.get(assignment.revision, assignment.id);
  const workflow = { ...definition, id: assignment.workflowId };
  return execute(
    {
      executionId,
      workflow,
      mode: assignment.mode,
      start: { node: startNode(workflow, nodeTypes, start.node), items: start.items },
      resume: assignment.checkpoints,
      signal,
      ...(resume?.items ? { resumeItems: resume.items } : {}),
      ...(timeoutMs === undefined ? {} : { deadline: host.now() + timeoutMs }),
    },
    host,
    nodeTypes,
  );
}

async function start(assignment: Assignment): Promise<void> {
  const { id } = assignment;
  const controller = new AbortController();
  running.set(id, controller);
  try {
    send({ kind: 'finished', assignment: id, result: await run(assignment, controller.signal) });
  } catch (error) {
    const record = toErrorRecord(error);
    if (FATAL.has(record.code)) send({ kind: 'finished', assignment: id, result: { status: ExecutionStatus.Failed, error: record, runs: [] } });
    else send({ kind: 'abandoned', assignment: id, code: record.code, message: record.message });
  } finally {
    running.delete(id);
  }
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
      running.get(message.assignment)?.abort(new WorkflowError(message.reason, `The execution was stopped: ${message.reason}.`));
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
