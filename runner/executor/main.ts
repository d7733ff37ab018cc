/**
 * Entry of an executor process. It is started by a supervisor with an IPC channel, the denied networks as its argument and
 * file descriptor 4 to write its current work to. It has no credentials.
 */
import process from 'node:process';
import { execute } from '../engine/engine.ts';
import { toErrorRecord, WorkflowError } from '../engine/error.ts';
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

const send = (message: ToSupervisor): void => void process.send?.(message);
const calls = new Calls(send);
const egress = createFetch(JSON.parse(process.argv[2] ?? '[]') as string[]);
const sandbox = tracedSandbox(createSandbox(), currentWorkWriter(WORK_FD));
const revisions = new RevisionCache(CACHED_REVISIONS, (revision, executionId) => calls.call(executionId, 'loadRevision', revision));
const running = new Map<string, AbortController>();
let settings: Pick<Extract<ToExecutor, { kind: 'configure' }>, 'variables' | 'baseUrl'> = { variables: {}, baseUrl: '' };

async function run(assignment: Assignment, signal: AbortSignal): Promise<ExecutionResult> {
  const workflow = await revisions.get(assignment.revision, assignment.executionId);
  const host = supervisedHost(assignment, { calls, sandbox, fetch: egress.fetch, send, ...settings });
  return execute(
    {
      executionId: assignment.executionId,
      workflow: { ...workflow, id: assignment.workflowId },
      mode: assignment.mode,
      start: assignment.start,
      resume: assignment.checkpoints,
      signal,
      ...(assignment.timeoutMs === undefined ? {} : { deadline: host.now() + assignment.timeoutMs }),
    },
    host,
    nodeTypes,
  );
}

async function start(assignment: Assignment): Promise<void> {
  const { executionId } = assignment;
  const controller = new AbortController();
  running.set(executionId, controller);
  const result = await run(assignment, controller.signal).catch(
    (error: unknown): ExecutionResult => ({ status: ExecutionStatus.Failed, error: toErrorRecord(error), runs: [] }),
  );
  running.delete(executionId);
  send({ kind: 'finished', executionId, result });
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
      running.get(message.executionId)?.abort(new WorkflowError(message.reason, `The execution was stopped: ${message.reason}.`));
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
