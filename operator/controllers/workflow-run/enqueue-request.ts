import { ExecutionMode } from '../../../runner/engine/node-run.ts';
import type { EnqueueRequest } from '../../../store/request.ts';
import type { WorkflowRun } from '../resources.ts';

/** Annotation with the W3C trace context of whoever created the run. */
const TRACEPARENT = 'traceparent';

/**
 * What a run asks of the queue. The run's UID is the idempotency key: however often a controller that was killed in between asks
 * again, there is one execution.
 */
export function enqueueRequest({ metadata, spec }: WorkflowRun): EnqueueRequest {
  const uid = metadata.uid ?? '';
  const traceparent = metadata.annotations?.[TRACEPARENT];
  return {
    namespace: metadata.namespace ?? '',
    workflow: spec.workflowRef.name,
    mode: spec.mode === 'Manual' ? ExecutionMode.Manual : ExecutionMode.Api,
    trigger: {
      ...(spec.startNode === undefined ? {} : { node: spec.startNode }), items: spec.items ?? [{ json: {} }],
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    idempotencyKey: `WorkflowRun/${uid}`,
    workflowRun: uid,
    ...(spec.workflowRef.revision === undefined ? {} : { revision: spec.workflowRef.revision }),
    ...(spec.runnerPool === undefined ? {} : { pool: spec.runnerPool }),
    ...(spec.priority === undefined ? {} : { priority: spec.priority }),
  };
}
