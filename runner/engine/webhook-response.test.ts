import { expect, test } from '@jest/globals';
import { ExecutionMode } from './node-run.ts';
import { executeTest } from './testing/execute-test.ts';
import { testHost } from './testing/test-host.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';

const rows: NodeSketch = { type: 'make', parameters: { rows: [{ a: 1, b: { c: 'deep' } }, { a: 2 }] } };
const last: NodeSketch['parameters'] = { responseMode: 'lastNode' };

test.each([
  { name: 'at once', parameters: {}, status: 200, body: '{"message":"Workflow was started"}' },
  { name: 'at once, with a text of its own', parameters: { options: { responseData: 'thanks' } }, status: 200, body: 'thanks' },
  { name: 'with the first item', parameters: last, status: 200, body: '{"a":1,"b":{"c":"deep"}}' },
  { name: 'with all items', parameters: { ...last, responseData: 'allEntries' }, status: 200, body: '[{"a":1,"b":{"c":"deep"}},{"a":2}]' },
  { name: 'with nothing', parameters: { ...last, responseData: 'noData' }, status: 200, body: '' },
  { name: 'with one property', parameters: { ...last, options: { responsePropertyName: 'b.c' } }, status: 200, body: 'deep' },
  { name: 'with a status', parameters: { ...last, responseData: 'noData', options: { responseCode: { values: { responseCode: 'customCode', customCode: 418 } } } }, status: 418, body: '' },
  { name: 'with an old status', parameters: { ...last, responseData: 'noData', responseCode: 202 }, status: 202, body: '' },
  { name: 'when no node answered', parameters: { responseMode: 'responseNode' }, status: 500, body: '{"code":0,"message":"No Respond to Webhook node found in the workflow"}' },
])('a webhook is answered $name', async ({ parameters, status, body }) => {
  const workflow = workflowOf({ Start: { type: 'start', parameters }, End: rows }, ['Start > End']);
  const { response } = await executeTest(workflow, { mode: ExecutionMode.Webhook });
  expect(response).toMatchObject({ status, body });
});

test('headers are those of the settings', async () => {
  const parameters = { ...last, options: { responseHeaders: { entries: [{ name: 'X-Test', value: 'yes' }] } } };
  const workflow = workflowOf({ Start: { type: 'start', parameters }, End: rows }, ['Start > End']);
  expect((await executeTest(workflow, { mode: ExecutionMode.Webhook })).response?.headers).toEqual({ 'content-type': 'application/json; charset=utf-8', 'x-test': 'yes' });
});

test('a failed execution is answered with 500 and no detail', async () => {
  const workflow = workflowOf({ Start: { type: 'start', parameters: last }, Bad: { type: 'fail' } }, ['Start > Bad']);
  expect((await executeTest(workflow, { mode: ExecutionMode.Webhook })).response).toMatchObject({ status: 500, body: '{"message":"Error in workflow"}' });
});

test('an answer a node gave is the only one, also when the execution is taken over', async () => {
  const workflow = workflowOf({ Start: { type: 'start', parameters: last }, A: { type: 'answer' }, B: { type: 'answer' }, Bad: { type: 'fail' } }, ['Start > A', 'A > B', 'B > Bad']);
  const bodies: string[] = [];
  const host = testHost({ respond: async ({ body }) => void bodies.push(body) });
  expect((await executeTest(workflow, { mode: ExecutionMode.Webhook }, host)).response).toBeUndefined();
  expect((await executeTest(workflow, { mode: ExecutionMode.Webhook, resume: host.checkpoints }, host)).response).toBeUndefined();
  expect(bodies).toEqual(['early']);
});
