import { expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowError } from './error.ts';
import { executeTest, orderOf } from './testing/execute-test.ts';
import { testHost } from './testing/test-host.ts';
import type { TestHost } from './testing/test-host.ts';
import { Double, testNodes } from './testing/test-nodes.ts';
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
  expect(result).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionCanceled', node: 'Hang' }, lastNode: 'Hang' });
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
  expect(result).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionTimeout', node: 'Hang' } });
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

test.each(['LeaseLost', 'HandBack'])('%s leaves the execution to another life', async (code) => {
  const stop = new AbortController();
  const running = executeTest(hanging, { signal: stop.signal });
  const reason = new WorkflowError(code, 'not ours any more');
  setImmediate(() => stop.abort(reason));
  await expect(running).rejects.toBe(reason);
});

test('a deadline that is farther than a timer reaches does not fire early', async () => {
  const workflow = workflowOf({ Start: { type: 'start' } }, [], { settings: { timeout: '9000h' } });
  expect((await executeTest(workflow, {}, realTime())).status).toBe('Succeeded');
});

test('a timeout nobody can read fails the execution with a reason', async () => {
  const workflow = workflowOf({ Start: { type: 'start' } }, [], { settings: { timeout: 'soon' } });
  expect(await executeTest(workflow)).toMatchObject({ status: 'Failed', error: { code: 'DurationInvalid' } });
});

test('a hand-back waits for the next node boundary, and leaves what is finished to whoever goes on', async () => {
  const workflow = workflowOf({ Start: { type: 'start' }, A: { type: 'effect' }, B: { type: 'effect' }, End: { type: 'pass' } }, ['Start > A', 'A > B', 'B > End']);
  const double = new Double();
  const handBack = new AbortController();
  const host = testHost({ onNodeRun: ({ node }) => { if (node === 'A') handBack.abort(new WorkflowError('HandBack', 'stopping')); } });
  await expect(executeTest(workflow, { handBack: handBack.signal }, host, testNodes(double))).rejects.toMatchObject({ code: 'HandBack' });
  expect(double.calls.map(({ node }) => node)).toEqual(['A']);
  expect((await executeTest(workflow, { resume: host.checkpoints }, host, testNodes(double))).status).toBe('Succeeded');
  expect(double.calls.map(({ node }) => node)).toEqual(['A', 'B']);
});

test('a hand-back inside a sub-workflow is no failure of the node that called it', async () => {
  const child = workflowOf({ In: { type: 'executeWorkflowTrigger' }, A: { type: 'effect' }, B: { type: 'effect' } }, ['In > A', 'A > B'], { id: 'child' });
  const workflow = workflowOf({ Start: { type: 'start' }, Call: { type: 'call', parameters: { workflow: 'child' }, onError: 'Continue' }, End: { type: 'effect' } }, ['Start > Call', 'Call > End']);
  const double = new Double();
  const handBack = new AbortController();
  const host = testHost({ loadWorkflow: async () => ({ definition: child }), onNodeRun: ({ node }) => { if (node === 'A') handBack.abort(new WorkflowError('HandBack', 'stopping')); } });
  await expect(executeTest(workflow, { handBack: handBack.signal }, host, testNodes(double))).rejects.toMatchObject({ code: 'HandBack' });
  expect((await executeTest(workflow, { resume: host.checkpoints }, { ...host, onNodeRun: () => undefined }, testNodes(double))).status).toBe('Succeeded');
  expect(double.calls.map(({ node }) => node)).toEqual(['A', 'B', 'End']);
});
