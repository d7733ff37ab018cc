import { ExecutionMode } from '../../../runner/engine/node-run.ts';
import type { EnqueueRequest } from '../../../store/request.ts';
import type { WorkflowRun } from '../resources.ts';

/**
 * What a run asks of the queue. The run's UID is the idempotency key: however often a controller that was killed in between asks
 * again, there is one execution.
 */
export function enqueueRequest({ metadata, spec }: WorkflowRun): EnqueueRequest {
  const uid = metadata.uid ?? '';
  return {
    namespace: metadata.namespace ?? '',
    workflow: spec.workflowRef.name,
    mode: spec.mode === 'Manual' ? ExecutionMode.Manual : ExecutionMode.Api,
    trigger: { ...(spec.startNode === undefined ? {} : { node: spec.startNode }), items: spec.items ?? [{ json: {} }] },
    idempotencyKey: `WorkflowRun/${uid}`,
    workflowRun: uid,
    ...(spec.workflowRef.revision === undefined ? {} : { revision: spec.workflowRef.revision }),
    ...(spec.runnerPool === undefined ? {} : { pool: spec.runnerPool }),
    ...(spec.priority === undefined ? {} : { priority: spec.priority }),
  };
}
