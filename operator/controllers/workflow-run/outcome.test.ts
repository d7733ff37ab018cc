import { expect, test } from '@jest/globals';
import type { Execution } from '../../../store/executions.ts';
import type { WorkflowRun } from '../resources.ts';
import { enqueueRequest } from './enqueue-request.ts';
import { isExpired } from './expiry.ts';
import { conditionsOf, reportOf } from './outcome.ts';

const execution: Execution = {
  id: 'e1', namespace: 'shop', workflow: 'orders', uid: 'u1', revision: 'r', mode: 'Api', status: 'Queued', pool: 'default', priority: 5, createdAt: 0, attempts: 0, crashes: 0,
};

test.each<{ given: Partial<Execution>; phase: string; want: object }>([
  { given: {}, phase: 'Pending', want: { complete: { status: 'Unknown', reason: 'Pending', message: 'waits for a runner' } } },
  { given: { status: 'Running', startedAt: 1000 }, phase: 'Running', want: { complete: { status: 'Unknown', reason: 'Running', message: 'is being executed' } } },
  { given: { status: 'Waiting' }, phase: 'Waiting', want: { complete: { status: 'Unknown', reason: 'Waiting', message: 'waits for a time, a call or a pod' } } },
  { given: { status: 'Succeeded', counts: { succeeded: 3, failed: 0 } }, phase: 'Succeeded', want: { complete: { status: 'True', reason: 'Succeeded', message: 'succeeded with 3 node runs' } } },
  {
    given: { status: 'Failed', error: { code: 'NodeFailed', node: 'Call', message: 'refused' } }, phase: 'Failed',
    want: { failed: { status: 'True', reason: 'ExecutionFailed', message: "node 'Call' failed: refused (NodeFailed); see millrace runs get e1" } },
  },
  { given: { status: 'Canceled', error: { code: 'ExecutionTimeout', message: 'took too long' } }, phase: 'Canceled', want: { failed: { status: 'True', reason: 'ExecutionCanceled', message: 'took too long' } } },
])('$phase', ({ given, phase, want }) => {
  const report = reportOf({ ...execution, ...given });
  expect(report).toMatchObject({ phase, executionId: 'e1', revision: 'r' });
  expect(conditionsOf(report)).toMatchObject(want);
});

test('the status stays small, whatever the error', () => {
  const report = reportOf({ ...execution, status: 'Failed', error: { code: 'X'.repeat(500), node: 'n'.repeat(500), message: 'm'.repeat(100_000) } });
  expect(JSON.stringify(report).length).toBeLessThan(2048);
});

const run = (spec: Partial<WorkflowRun['spec']> = {}, status: NonNullable<WorkflowRun['status']> = {}): WorkflowRun => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name: 'r', namespace: 'shop', uid: 'uid' }, spec: { workflowRef: { name: 'orders' }, ...spec }, status,
});

test('a run asks for one execution, named by its UID', () => {
  expect(enqueueRequest(run())).toEqual({
    namespace: 'shop', workflow: 'orders', mode: 'Api', trigger: { items: [{ json: {} }] }, idempotencyKey: 'WorkflowRun/uid', workflowRun: 'uid',
  });
  expect(enqueueRequest(run({ mode: 'Manual', startNode: 'Start', items: [{ json: { a: 1 } }], priority: 9, runnerPool: 'big', workflowRef: { name: 'orders', revision: 'r' } }))).toMatchObject({
    mode: 'Manual', trigger: { node: 'Start', items: [{ json: { a: 1 } }] }, priority: 9, pool: 'big', revision: 'r',
  });
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const { metadata, ...rest } = run();
  expect(enqueueRequest({ ...rest, metadata: { ...metadata, annotations: { traceparent } } }).trigger).toMatchObject({ traceparent });
});

test.each([
  { name: 'unfinished', given: run({ ttlAfterFinished: '0s' }, { phase: 'Running' }), at: '2026-01-01T00:00:00Z', want: false },
  { name: 'before its time', given: run({ ttlAfterFinished: '1h' }, { phase: 'Failed', finishedAt: '2026-01-01T00:00:00Z' }), at: '2026-01-01T00:59:59Z', want: false },
  { name: 'at its time', given: run({ ttlAfterFinished: '1h' }, { phase: 'Failed', finishedAt: '2026-01-01T00:00:00Z' }), at: '2026-01-01T01:00:00Z', want: true },
  { name: 'after a day without a time of its own', given: run({}, { phase: 'Succeeded', finishedAt: '2026-01-01T00:00:00Z' }), at: '2026-01-02T00:00:00Z', want: true },
])('$name: $want', ({ given, at, want }) => {
  expect(isExpired(given, Date.parse(at))).toBe(want);
});
