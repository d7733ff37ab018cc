import { expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowError } from './error.ts';
import { executeTest, orderOf } from './testing/execute-test.ts';
import { testHost } from './testing/test-host.ts';
import type { TestHost } from './testing/test-host.ts';
import { workflowOf } from './testing/test-workflow.ts';

const hanging = workflowOf({ Start: { type: 'start' }, Hang: { type: 'hang' }, Never: { type: 'pass' } }, ['Start > Hang', 'Hang > Never']);

function realTime(): TestHost {
  return testHost({ now: () => Date.now(), sleep: (ms, signal) => delay(ms, undefined, { signal }) });
}

test('cancel stops a node that never ends by itself', async () => {
  const stop = new AbortController();
  const running = executeTest(hanging, { signal: stop.signal });
  setImmediate(() => stop.abort());
  const result = await running;
  expect(result).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionCanceled' }, lastNode: 'Start' });
  expect(orderOf(result)).toBe('Start#0');
});

test('an execution canceled before it began runs nothing', async () => {
  expect(await executeTest(hanging, { signal: AbortSignal.abort() })).toMatchObject({ status: 'Canceled', runs: [] });
});

test.each([
  { name: 'the workflow sets', workflow: { ...hanging, settings: { timeout: '20ms' } }, deadline: undefined },
  { name: 'the request sets', workflow: hanging, deadline: 20 },
])('the deadline that $name stops a running node', async ({ workflow, deadline }) => {
  const host = realTime();
  const result = await executeTest(workflow, deadline === undefined ? {} : { deadline: host.now() + deadline }, host);
  expect(result).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionTimeout' } });
});

test('a deadline stops a loop of pure nodes that never awaits anything', async () => {
  const spinning = workflowOf({ Start: { type: 'start' }, A: { type: 'pass' }, B: { type: 'pass' } }, ['Start > A', 'A > B', 'B > A'], { settings: { timeout: '50ms' } });
  expect((await executeTest(spinning, { historyBytes: 1000 }, realTime())).error?.code).toBe('ExecutionTimeout');
});

test('an endless loop is stopped with a reason', async () => {
  const endless = workflowOf({ Start: { type: 'start' }, A: { type: 'pass' } }, ['Start > A', 'A > A']);
  const result = await executeTest(endless, { maxNodeRuns: 100 });
  expect(result).toMatchObject({ status: 'Failed', error: { code: 'EndlessLoop' }, lastNode: 'A' });
  expect(result.runs).toHaveLength(100);
});

test('any other reason to abort leaves the execution to another life', async () => {
  const stop = new AbortController();
  const running = executeTest(hanging, { signal: stop.signal });
  const lost = new WorkflowError('LeaseLost', 'somebody else owns the execution');
  setImmediate(() => stop.abort(lost));
  await expect(running).rejects.toBe(lost);
});
