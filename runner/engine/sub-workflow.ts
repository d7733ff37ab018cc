import { createHash } from 'node:crypto';
import { WorkflowError } from './error.ts';
import { runErrorWorkflow } from './error-workflow.ts';
import { createExecution } from './execution.ts';
import type { ChildRequest, Execution } from './execution.ts';
import { runExecution } from './run-execution.ts';
import type { Item } from './item.ts';
import { ExecutionMode, ExecutionStatus } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import type { WorkflowDefinition } from './workflow.ts';

/** Sub-workflows inside sub-workflows; deeper is a workflow that calls itself without end. */
const MAX_DEPTH = 50;
const TRIGGER = 'executeWorkflowTrigger';

/**
 * Runs a sub-workflow. Resolves to its result, also when it failed, or to undefined when it is not waited for.
 * Rejects with WorkflowNotFound, CallerNotAllowed, StartNodeMissing or SubWorkflowTooDeep.
 */
export async function runChild(parent: Execution, request: ChildRequest): Promise<ExecutionResult | undefined> {
  const { tree } = parent;
  const workflow = await load(parent, request.workflow);
  if (typeof request.workflow === 'string') checkCaller(parent, workflow, request);
  const trigger = workflow.nodes.find(({ type, disabled }) => type === TRIGGER && disabled !== true);
  if (!trigger) {
    throw new WorkflowError('StartNodeMissing', `Workflow '${workflow.name}' has no ${TRIGGER} node to start from. Add one to make it callable.`, { nonRetryable: true });
  }
  const call = JSON.stringify([request.node, request.runIndex, request.number]);
  const scope = `${parent.scope}/${call}`;
  if (parent.scope.split('/').length > MAX_DEPTH) {
    throw new WorkflowError('SubWorkflowTooDeep', `Sub-workflows are nested more than ${MAX_DEPTH} deep. Check that '${workflow.name}' does not call itself without end.`, { nonRetryable: true });
  }
  const executionId = `${parent.executionId}-${createHash('sha256').update(call).digest('hex').slice(0, 12)}`;
  const about = { workflow, executionId, scope, mode: ExecutionMode.SubWorkflow };
  const start = { node: trigger.name, items: request.items };
  if (!request.wait && tree.host.startWorkflow) {
    await tree.host.startWorkflow({ executionId, workflow, mode: about.mode, start });
    return undefined;
  }
  const running = runInside(parent, about, start);
  if (request.wait) return running;
  const settled = running.catch(() => undefined).finally(() => tree.background.delete(settled));
  tree.background.add(settled);
  return undefined;
}

async function runInside(parent: Execution, about: Parameters<typeof createExecution>[1], start: { node: string; items: readonly Item[] }): Promise<ExecutionResult> {
  const { tree } = parent;
  const child = createExecution(tree, about);
  const result = await runExecution(child, start);
  if (result.status === ExecutionStatus.Waiting) {
    throw new WorkflowError('ExecutionSuspended', 'The sub-workflow waits, and the execution with it.', { nonRetryable: true });
  }
  tree.host.onChild?.({ workflow: about.workflow.id, executionId: about.executionId, result });
  await runErrorWorkflow(child, result);
  return result;
}

async function load(parent: Execution, workflow: string | WorkflowDefinition): Promise<WorkflowDefinition> {
  if (typeof workflow !== 'string') return workflow;
  const loaded = await parent.tree.host.loadWorkflow(workflow);
  if (loaded) return loaded;
  throw new WorkflowError('WorkflowNotFound', `There is no workflow '${workflow}'. Check the name, and that it is in the same namespace.`, { nonRetryable: true });
}

/** A workflow may always call itself; else its settings decide. A refused call leaves a record with the calling node in it. */
function checkCaller(parent: Execution, child: WorkflowDefinition, request: ChildRequest): void {
  if (isAllowed(parent.workflow, child)) return;
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

function isAllowed(parent: WorkflowDefinition, child: WorkflowDefinition): boolean {
  if (parent.id === child.id) return true;
  const { callerPolicy = 'sameOwner', callers = [] } = child.settings ?? {};
  if (callerPolicy === 'none') return false;
  if (callerPolicy === 'list') return callers.some((caller) => caller === parent.id || (caller === baseName(parent.id) && sameNamespace(parent, child)));
  return callerPolicy === 'any' || sameNamespace(parent, child);
}

function baseName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

function sameNamespace(a: WorkflowDefinition, b: WorkflowDefinition): boolean {
  return a.id.slice(0, a.id.lastIndexOf('/') + 1) === b.id.slice(0, b.id.lastIndexOf('/') + 1);
}
