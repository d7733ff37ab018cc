import { createExecution } from './execution.ts';
import type { Execution } from './execution.ts';
import type { ErrorRecord, JsonObject } from './item.ts';
import { ExecutionMode, ExecutionStatus } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import { runExecution } from './run-execution.ts';
import { Compat } from './workflow.ts';

const TRIGGER = 'errorTrigger';
/** n8n's words for how an execution started. */
const MODE_NAMES: Readonly<Record<ExecutionMode, string>> = {
  Manual: 'manual', Webhook: 'webhook', Schedule: 'trigger', SubWorkflow: 'integrated', Error: 'error', Retry: 'retry',
};

/**
 * Starts the error workflow of an execution that failed. Manual runs start none, and neither does a failing error workflow.
 * One that is missing or has no errorTrigger node is passed over: the failure itself is what has to be reported.
 */
export async function runErrorWorkflow(failed: Execution, result: ExecutionResult): Promise<void> {
  const { tree } = failed;
  const id = failed.workflow.settings?.errorWorkflow;
  if (id === undefined || result.status !== ExecutionStatus.Failed) return;
  if (failed.mode === ExecutionMode.Manual || failed.mode === ExecutionMode.Error) return;
  const workflow = await tree.host.loadWorkflow(id);
  const trigger = workflow?.nodes.find(({ type, disabled }) => type === TRIGGER && disabled !== true);
  if (!workflow || !trigger) return;
  const executionId = `${failed.executionId}-error`;
  const start = { node: trigger.name, items: [{ json: errorReport(failed, result) }] };
  if (tree.host.startWorkflow) {
    await tree.host.startWorkflow({ executionId, workflow, mode: ExecutionMode.Error, start });
    return;
  }
  const execution = createExecution(tree, { workflow, executionId, scope: `${failed.scope}/error`, mode: ExecutionMode.Error });
  const ended = await runExecution(execution, start);
  tree.host.onChild?.({ workflow: workflow.id, executionId, result: ended });
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
