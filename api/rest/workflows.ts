import { ExecutionMode } from '../../runner/engine/node-run.ts';
import type { Store } from '../../store/store.ts';
import type { Accept } from '../webhook/accept.ts';
import { jsonEndpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';
import { showDetail } from './execution-view.ts';
import { Accepted, Trigger, TriggerQuery, WorkflowPath } from './schemas.ts';

export interface WorkflowOptions {
  store: Pick<Store, 'executions' | 'replies'>;
  accept: Accept;
}

/** Starting workflows by hand. */
export function workflowEndpoints({ store, accept }: WorkflowOptions): Endpoint[] {
  return [
    jsonEndpoint({
      method: 'post', path: '/namespaces/{namespace}/workflows/{workflow}/trigger', operationId: 'triggerWorkflow', summary: 'Execute a workflow now, active or not',
      params: WorkflowPath, query: TriggerQuery, body: Trigger, status: 202, answer: Accepted,
      permission: ({ params }) => ({ verb: 'create', resource: 'workflowruns', namespace: params.namespace }),
      handle: async ({ params, query, body, signal }) => {
        const { id, duplicate } = await accept({
          namespace: params.namespace, workflow: params.workflow, mode: ExecutionMode.Manual,
          trigger: { ...(body.node === undefined ? {} : { node: body.node }), ...(body.partial && { partial: body.partial }), items: body.items ?? [{ json: {} }] },
          ...(body.idempotencyKey === undefined ? {} : { idempotencyKey: body.idempotencyKey }),
          ...(query.wait > 0 ? { replyTo: store.replies.address } : {}),
        });
        if (query.wait === 0) return { id, duplicate };
        await ended(store.replies, id, AbortSignal.any([signal, AbortSignal.timeout(query.wait * 1000)]));
        const execution = await store.executions.get(id);
        return { id, duplicate, ...(execution ? { execution: showDetail(execution) } : {}) };
      },
    }),
  ];
}

/** Resolves when the execution has ended or the time is over, whichever is first. */
async function ended(replies: Store['replies'], id: string, signal: AbortSignal): Promise<void> {
  try {
    await replies.wait(id, { signal, until: 'finished' });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
