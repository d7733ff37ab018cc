import { expect, test } from '@jest/globals';
import { executeTest, jsonOf, orderOf } from './testing/execute-test.ts';
import { testHost } from './testing/test-host.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';
import type { WorkflowDefinition } from './workflow.ts';

const start: NodeSketch = { type: 'start' };
const failing = (times: number, more: Partial<NodeSketch>): WorkflowDefinition =>
  workflowOf({ Start: start, Node: { type: 'fail', parameters: { times }, ...more }, Ok: { type: 'pass' }, Err: { type: 'pass' } }, ['Start > Node', 'Node.0 > Ok', 'Node.1 > Err']);

test.each([
  { name: 'the third of three tries works', times: 2, retry: { maxTries: 3, wait: '10ms' }, want: 'Succeeded', slept: [10, 10] },
  { name: 'two tries are not enough', times: 2, retry: { maxTries: 2 }, want: 'Failed', slept: [1000] },
  { name: 'pauses double, and each is left to chance', times: 3, retry: { maxTries: 4, wait: '1s', backoff: 'Exponential' }, want: 'Succeeded', slept: [1, 4, 12] },
] as const)('$name', async ({ times, retry, want, slept }) => {
  const host = testHost();
  expect((await executeTest(failing(times, { retry }), {}, host)).status).toBe(want);
  expect(host.slept).toEqual(slept);
});

test('pauses never grow beyond five minutes', async () => {
  const host = testHost({ random: () => 1 });
  await executeTest(failing(9, { retry: { maxTries: 10, wait: '1m', backoff: 'Exponential' } }), {}, host);
  expect(Math.max(...host.slept)).toBe(300_000);
});

test('an error that trying again cannot change is not retried', async () => {
  const host = testHost();
  await executeTest(failing(1, { retry: { maxTries: 5 }, parameters: { times: 1, final: true } }), {}, host);
  expect(host.slept).toEqual([]);
});

test('first the tries, then the error path', async () => {
  const host = testHost();
  const result = await executeTest(failing(Infinity, { retry: { maxTries: 3 }, onError: 'ErrorOutput' }), {}, host);
  expect(host.slept).toHaveLength(2);
  expect(orderOf(result)).toBe('Start#0 Node#0 Err#0');
  expect(result.runs[1]).toMatchObject({ status: 'error', error: { code: 'TestFailed' } });
  expect(jsonOf(result, 'Err')).toEqual([{ error: 'failed on purpose' }]);
});

const soft = (compat: 'millrace' | 'n8n-v2', rows: object[]): WorkflowDefinition =>
  workflowOf({ Start: start, Node: { type: 'make', parameters: { rows }, retry: { maxTries: 2 } } }, ['Start > Node'], { compat });
test.each([
  { name: 'n8n retries when the first item has an error field', compat: 'n8n-v2', rows: [{ error: 'e', more: 1 }], want: 1 },
  { name: 'n8n looks at no other item', compat: 'n8n-v2', rows: [{}, { error: 'e' }], want: 0 },
  { name: 'millrace looks at all items', compat: 'millrace', rows: [{}, { error: 'e' }], want: 1 },
  { name: 'millrace lets data have an error field', compat: 'millrace', rows: [{ error: 'e', more: 1 }], want: 0 },
] as const)('$name', async ({ compat, rows, want }) => {
  const host = testHost();
  const result = await executeTest(soft(compat, [...rows]), {}, host);
  expect(host.slept).toHaveLength(want);
  expect(result.status).toBe('Succeeded');
});

const budgeted = (effect: boolean): WorkflowDefinition => workflowOf(
  { Start: start, Node: { type: 'fail', parameters: { times: 9, effect }, retry: { maxTries: 4 } } }, ['Start > Node'], { settings: { retryBudget: { retries: 1, per: '1m' } } },
);
test('a workflow whose retry budget is used up fails with what happened, and says why it stayed at that', async () => {
  const asked: unknown[] = [];
  const host = testHost({ mayRetry: async (...about) => asked.push(about) < 2 });
  const result = await executeTest(budgeted(true), {}, host);
  expect(host.slept).toHaveLength(1);
  expect(result.error).toMatchObject({ code: 'TestFailed', description: expect.stringContaining('settings.retryBudget') });
  expect(asked[0]).toEqual([expect.any(String), { retries: 1, per: '1m' }]);
});

test('pure nodes are outside the budget', async () => {
  const host = testHost({ mayRetry: async () => false });
  await executeTest(budgeted(false), {}, host);
  expect(host.slept).toHaveLength(3);
});
