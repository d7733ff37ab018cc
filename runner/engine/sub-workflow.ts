import { createHash } from 'node:crypto';
import { isCallerAllowed } from './caller-policy.ts';
import { WorkflowError } from './error.ts';
import { startErrorWorkflow } from './error-workflow.ts';
import type { ChildRequest, Execution } from './execution.ts';
import type { CallableWorkflow } from './host.ts';
import { runInside } from './inner-execution.ts';
import type { InnerRun } from './inner-execution.ts';
import { ExecutionMode, ExecutionStatus } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import type { WorkflowDefinition, WorkflowNode } from './workflow.ts';

/** Sub-workflows inside sub-workflows; deeper is a workflow that calls itself without end. */
const MAX_DEPTH = 50;
const TRIGGER = 'executeWorkflowTrigger';

/**
 * Runs a sub-workflow. Resolves to its result, also when it failed, or to undefined when it is not waited for.
 * Rejects with WorkflowNotFound, CallerNotAllowed, StartNodeMissing or SubWorkflowTooDeep.
 */
export async function runChild(parent: Execution, request: ChildRequest): Promise<ExecutionResult | undefined> {
  const { tree } = parent;
  const { id, called, trigger } = await callable(parent, request);
  const { definition: workflow } = called;
  const call = JSON.stringify([request.node, request.runIndex, request.number]);
  if (parent.scope.split('/').length > MAX_DEPTH) {
    throw new WorkflowError('SubWorkflowTooDeep', `Sub-workflows are nested more than ${MAX_DEPTH} deep. Check that '${workflow.name}' does not call itself without end.`, { nonRetryable: true });
  }
  const executionId = `${parent.executionId}-${createHash('sha256').update(call).digest('hex').slice(0, 12)}`;
  const start = { node: trigger.name, items: request.items };
  const { underError } = parent;
  // An inline workflow is stored nowhere: nobody but this execution can run it.
  if (!request.wait && tree.host.startWorkflow && id !== undefined) {
    const { revision } = called;
    await tree.host.startWorkflow({ key: executionId, workflow: id, ...(revision === undefined ? {} : { revision }), mode: ExecutionMode.SubWorkflow, start, underError });
    return undefined;
  }
  refuseTransaction(workflow);
  const running = runToEnd(parent, {
    identity: { workflow, owner: id === undefined ? parent.owner : workflow.id, executionId, scope: `${parent.scope}/${call}`, mode: ExecutionMode.SubWorkflow, underError, onStaticData: (data) => request.onStaticData(data) },
    start,
    ...(id === undefined ? {} : { stored: called.staticData ?? { global: {}, nodes: {} } }),
    startedAt: () => request.record(() => tree.host.now()),
  }, request);
  if (request.wait) return running;
  const settled = running.catch(() => undefined).finally(() => tree.background.delete(settled));
  tree.background.add(settled);
  return undefined;
}

/** Its transaction would be committed whatever becomes of the caller, and a replay of the caller would not know. */
function refuseTransaction({ name, settings }: WorkflowDefinition): void {
  if (!settings?.transaction) return;
  throw new WorkflowError('TransactionNotPossible', `Workflow '${name}' has settings.transaction, which holds for an execution of its own only. Call it without waiting for it, or remove the setting.`, { nonRetryable: true });
}

/** The workflow to call and the node it starts at. `id` is absent for an inline workflow. Rejects with WorkflowNotFound, CallerNotAllowed or StartNodeMissing. */
export async function callable(parent: Execution, request: ChildRequest): Promise<{ id?: string; called: CallableWorkflow; trigger: WorkflowNode }> {
  const id = typeof request.workflow === 'string' ? request.workflow : undefined;
  const called = typeof request.workflow === 'string' ? await load(parent, request.workflow, request) : { definition: request.workflow };
  const { definition: workflow } = called;
  if (id !== undefined) checkCaller(parent, workflow, request);
  const trigger = workflow.nodes.find(({ type, disabled }) => type === TRIGGER && disabled !== true);
  if (trigger) return { called, trigger, ...(id === undefined ? {} : { id }) };
  throw new WorkflowError('StartNodeMissing', `Workflow '${workflow.name}' has no ${TRIGGER} node to start from. Add one to make it callable.`, { nonRetryable: true });
}

async function runToEnd(parent: Execution, run: InnerRun, { node, runIndex }: ChildRequest): Promise<ExecutionResult> {
  const { scope, executionId, workflow } = run.identity;
  const ended = parent.tree.host.trace?.workflow({ scope, executionId, workflow: workflow.id, caller: { scope: parent.scope, node, runIndex } });
  const { execution, result } = await runInside(parent, run);
  ended?.(result.error);
  if (result.status === ExecutionStatus.Waiting) throw suspended();
  parent.tree.host.onChild?.({ workflow: workflow.id, executionId, result });
  if (result.status === ExecutionStatus.Failed) await startErrorWorkflow(execution, result);
  if (parent.tree.suspended) throw suspended();
  return result;
}

function suspended(): WorkflowError {
  return new WorkflowError('ExecutionSuspended', 'The sub-workflow waits, and the execution with it.', { nonRetryable: true });
}

/** Every life of the execution runs the same revision. */
async function load({ tree }: Execution, id: string, { record }: ChildRequest): Promise<CallableWorkflow> {
  const found = await tree.host.loadWorkflow(id);
  const revision = record(() => found?.revision ?? null);
  const pinned = revision === null || revision === found?.revision ? found : await tree.host.loadWorkflow(id, revision);
  if (pinned) return pinned;
  throw new WorkflowError('WorkflowNotFound', `There is no workflow '${id}'. Check the name, and that it is in the same namespace.`, { nonRetryable: true });
}

/** A refused call leaves a record with the calling node in it. */
function checkCaller(parent: Execution, child: WorkflowDefinition, request: ChildRequest): void {
  if (isCallerAllowed(parent.owner, child)) return;
  const error = new WorkflowError('CallerNotAllowed', `Workflow '${child.name}' may not be called by '${parent.workflow.name}'. Its setting callerPolicy decides who may.`, { nonRetryable: true });
  const now = parent.tree.host.now();
  const record = { code: error.code, message: error.message, node: request.node };
  const executionId = `${parent.executionId}-refused-${request.number}`;
  parent.tree.host.onChild?.({
    workflow: child.id,
    executionId,
    result: {
      status: ExecutionStatus.Failed, error: record, lastNode: request.node,
      runs: [{ node: request.node, runIndex: 0, status: 'error', source: [], outputs: [], error: record, startedAt: now, durationMs: 0 }],
    },
  });
  throw error;
}
