import { isCallerAllowed } from './caller-policy.ts';
import { WorkflowError } from './error.ts';
import type { Execution } from './execution.ts';
import type { CallableWorkflow } from './host.ts';
import { runInside } from './inner-execution.ts';
import type { ErrorRecord, JsonObject } from './item.ts';
import { MODE_NAMES } from './mode-name.ts';
import { ExecutionMode } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import type { Start } from './run-execution.ts';
import { Compat } from './workflow.ts';

const TRIGGER = 'errorTrigger';

/**
 * Starts the error workflow of an execution that failed. Manual runs start none, and neither does whatever descends from an error
 * workflow. One that cannot be started is passed over with a word to the log: the failure itself is what has to be reported.
 */
export async function startErrorWorkflow(failed: Execution, result: ExecutionResult): Promise<void> {
  const { tree, mode } = failed;
  const id = failed.workflow.settings?.errorWorkflow;
  if (id === undefined || mode === ExecutionMode.Manual || failed.underError) return;
  // What failed stays failed, in a later life of the execution too.
  await tree.journal.beforeEffect();
  try {
    await start(failed, id, result);
  } catch (error) {
    failed.signal.throwIfAborted();
    tree.journal.throwIfBroken();
    if (tree.handedBack || !(error instanceof WorkflowError)) throw error;
    tree.host.onConsole?.({ node: result.lastNode ?? '', level: 'warn', text: `The error workflow '${id}' was not started. ${error.message}` });
  }
}

async function start(failed: Execution, id: string, result: ExecutionResult): Promise<void> {
  const { tree } = failed;
  const found = await tree.host.loadWorkflow(id);
  const trigger = found?.definition.nodes.find(({ type, disabled }) => type === TRIGGER && disabled !== true);
  if (!found || !trigger) throw new WorkflowError('WorkflowNotFound', `There is no workflow of that name with an ${TRIGGER} node.`);
  if (!isCallerAllowed(failed.owner, found.definition)) {
    throw new WorkflowError('CallerNotAllowed', `Its setting callerPolicy does not let '${failed.workflow.name}' call it.`);
  }
  const key = `${failed.executionId}-error`;
  const from = { node: trigger.name, items: [{ json: errorReport(failed, result) }] };
  if (!tree.host.startWorkflow) return runErrorWorkflow(failed, { key, found, from });
  const { revision } = found;
  await tree.host.startWorkflow({ key, workflow: id, ...(revision === undefined ? {} : { revision }), mode: ExecutionMode.Error, start: from, underError: true });
}

/** Where executions of their own cannot be started: inside the failed one. */
async function runErrorWorkflow(failed: Execution, { key, found, from }: { key: string; found: CallableWorkflow; from: Start }): Promise<void> {
  const { tree } = failed;
  const { definition: workflow, staticData: stored = { global: {}, nodes: {} } } = found;
  const identity = { workflow, owner: workflow.id, executionId: key, scope: `${failed.scope}/error`, mode: ExecutionMode.Error, underError: true };
  const { result } = await runInside(failed, { identity, start: from, stored, startedAt: () => tree.host.now() });
  if (!tree.suspended) tree.host.onChild?.({ workflow: workflow.id, executionId: key, result });
}

/** What the errorTrigger node gives: n8n's shape. */
function errorReport(failed: Execution, { error, lastNode }: ExecutionResult): JsonObject {
  const { workflow, executionId, mode, tree } = failed;
  return {
    execution: {
      id: executionId,
      url: `${tree.host.baseUrl}/workflow/${workflow.id}/executions/${executionId}`,
      retryOf: null,
      error: error ? errorDetails(failed, error) : undefined,
      lastNodeExecuted: lastNode,
      mode: MODE_NAMES[mode],
    },
    workflow: { id: workflow.id, name: workflow.name },
  };
}

function errorDetails(failed: Execution, error: ErrorRecord): JsonObject {
  const node = error.node === undefined ? undefined : failed.graph.nodes.get(error.node)?.node;
  const prefix = failed.graph.compat === Compat.Millrace || node?.type.includes('.') ? '' : 'n8n-nodes-base.';
  return {
    name: failed.graph.compat === Compat.Millrace ? error.code : n8nErrorName(node?.type),
    code: error.code,
    message: error.message,
    ...(error.description === undefined ? {} : { description: error.description }),
    ...(node ? { node: { name: node.name, type: `${prefix}${node.type}` } } : {}),
  };
}

function n8nErrorName(type: string | undefined): string {
  if (type === 'httpRequest') return 'NodeApiError';
  return type === 'code' ? 'WrappedExecutionError' : 'NodeOperationError';
}
