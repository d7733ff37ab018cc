import type { Enqueued, EnqueueRequest } from '../store/request.ts';
import { parseTraceparent, traceparentOf } from './trace-context.ts';
import type { Tracing } from './tracing.ts';

type Enqueue = (requests: readonly EnqueueRequest[]) => Promise<Enqueued[]>;

/**
 * An enqueue for executions that no request of a caller started. What asks for each is a span, which the execution goes on from: part of the trace
 * that the request names, else the begin of one.
 */
export function tracedEnqueue(enqueue: Enqueue, tracing: Tracing, now: () => number): Enqueue {
  return async (requests) => {
    const spans = requests.map(({ trigger }) => {
      const parent = parseTraceparent(trigger.traceparent);
      return { context: tracing.begin(parent), ...(parent ? { parentId: parent.spanId } : {}) };
    });
    const startMs = now();
    const outcomes = await enqueue(requests.map((request, index) => {
      const span = spans[index];
      return span ? { ...request, trigger: { ...request.trigger, traceparent: traceparentOf(span.context) } } : request;
    }));
    const endMs = now();
    for (const [index, request] of requests.entries()) {
      const [span, outcome] = [spans[index], outcomes[index]];
      if (span && outcome) tracing.record({ ...span, ...about(request, outcome), kind: 'producer', startMs, endMs });
    }
    return outcomes;
  };
}

function about({ namespace, workflow, mode, workflowRun }: EnqueueRequest, outcome: Enqueued): Pick<Parameters<Tracing['record']>[0], 'name' | 'attributes' | 'error'> {
  const attributes = { 'millrace.namespace': namespace, 'millrace.workflow.name': workflow, 'millrace.execution.mode': mode };
  const name = workflowRun !== undefined ? 'WorkflowRun' : mode === 'Schedule' ? 'tick' : 'enqueue';
  if (!outcome.accepted) return { name, attributes, error: outcome.reason };
  return { name, attributes: { ...attributes, 'millrace.execution.id': outcome.id, 'millrace.execution.duplicate': outcome.duplicate } };
}
