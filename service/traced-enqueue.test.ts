import { expect, test } from '@jest/globals';
import type { Enqueued, EnqueueRequest } from '../store/request.ts';
import type { SpanRecord, TraceContext } from './trace-context.ts';
import { tracedEnqueue } from './traced-enqueue.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

function request(change: Partial<EnqueueRequest>, traceparent?: string): EnqueueRequest {
  return { namespace: 'shop', workflow: 'orders', mode: 'Api', trigger: { items: [], ...(traceparent === undefined ? {} : { traceparent }) }, ...change };
}

test('what no caller started begins a trace, or goes on with the one it names; the execution goes on from there', async () => {
  const sent: EnqueueRequest[] = [];
  const spans: SpanRecord[] = [];
  let next = 0;
  const begin = (parent?: TraceContext): TraceContext => ({ traceId: parent?.traceId ?? 'a'.repeat(32), spanId: String(next += 1).padStart(16, '0'), sampled: true });
  const answers: Enqueued[] = [
    { accepted: true, id: 'e1', revision: 'r', duplicate: false }, { accepted: false, reason: 'WorkflowInactive' }, { accepted: true, id: 'e3', revision: 'r', duplicate: true },
  ];
  const enqueue = tracedEnqueue(async (requests) => {
    sent.push(...requests);
    return answers;
  }, { begin, record: (span) => void spans.push(span), close: async () => undefined }, () => 5);
  const requests = [request({ mode: 'Schedule' }), request({ workflowRun: 'u1' }, `00-${TRACE}-${CALLER}-01`), request({}, 'broken')];
  expect(await enqueue(requests)).toBe(answers);
  expect(sent.map(({ trigger }) => trigger.traceparent)).toEqual([
    `00-${'a'.repeat(32)}-0000000000000001-01`, `00-${TRACE}-0000000000000002-01`, `00-${'a'.repeat(32)}-0000000000000003-01`,
  ]);
  expect(spans).toMatchObject([
    { name: 'tick', kind: 'producer', attributes: { 'millrace.execution.id': 'e1', 'millrace.workflow.name': 'orders' } },
    { name: 'WorkflowRun', parentId: CALLER, context: { traceId: TRACE }, error: 'WorkflowInactive' },
    { name: 'enqueue', attributes: { 'millrace.execution.duplicate': true } },
  ]);
  expect(spans[0]?.parentId).toBeUndefined();
});
