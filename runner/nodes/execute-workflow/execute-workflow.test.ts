import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import type { WorkflowDefinition } from '../../engine/workflow.ts';
import { runNode } from '../testing/run-node.ts';

const child = (trigger: JsonObject = { inputSource: 'passthrough' }, body: string = 'noOp', parameters: JsonObject = {}): WorkflowDefinition => ({
  id: 'test/child', name: 'child',
  nodes: [{ name: 'Called', type: 'executeWorkflowTrigger', typeVersion: 1.1, parameters: trigger }, { name: 'Body', type: body, parameters }],
  connections: [{ from: 'Called', output: 0, to: 'Body', input: 0, type: 'main' }],
});

const call = (parameters: JsonObject, workflow = child(), more: Partial<Parameters<typeof runNode>[0]> = {}): ReturnType<typeof runNode> => runNode({
  type: 'executeWorkflow', version: 1.2, parameters: { workflowId: { __rl: true, mode: 'id', value: 'child' }, ...parameters }, items: [{ a: '5' }, { a: '6' }],
  host: { loadWorkflow: async (id) => (id === 'child' ? { definition: workflow } : undefined) }, ...more,
});

test.each([{ mode: 'once' }, { mode: 'each' }])('hands items through and links them: $mode', async ({ mode }) => {
  const { outputs } = await call({ mode });
  expect(outputs).toEqual([[{ json: { a: '5' }, pairedItem: { item: 0 } }, { json: { a: '6' }, pairedItem: { item: 1 } }]]);
});

test('maps and converts declared inputs; the trigger fills what is left out', async () => {
  const trigger = { workflowInputs: { values: [{ name: 'n', type: 'number' }, { name: 'other' }] } };
  const workflowInputs = { mappingMode: 'defineBelow', value: { n: '={{ $json.a }}', extra: 1 }, schema: [{ id: 'n', type: 'number' }], attemptToConvertTypes: true };
  expect((await call({ workflowInputs }, child(trigger))).json).toEqual([[{ n: 5, other: null }, { n: 6, other: null }]]);
});

test('takes the accepted fields from an example', async () => {
  expect((await call({}, child({ inputSource: 'jsonExample', jsonExample: '{"a": "", "b": 1}' }))).json).toEqual([[{ a: '5', b: null }, { a: '6', b: null }]]);
});

test('fails with the words of the child, or makes error items of it', async () => {
  const failing = child(undefined, 'stopAndError', { errorMessage: 'child says no' });
  expect((await call({}, failing)).error).toMatchObject({ code: 'SubWorkflowFailed', message: 'child says no', node: 'Node' });
  expect((await call({ mode: 'each' }, failing, { onError: 'Continue' })).json).toEqual([[{ error: 'child says no' }, { error: 'child says no' }]]);
});

test('runs a workflow that stands in a parameter, in n8n\'s format', async () => {
  const workflowJson = JSON.stringify({
    name: 'inline', nodes: [
      { name: 'T', type: 'n8n-nodes-base.executeWorkflowTrigger', typeVersion: 1, position: [0, 0], parameters: {} },
      { name: 'S', type: 'n8n-nodes-base.set', typeVersion: 3.4, position: [200, 0], parameters: { assignments: { assignments: [{ name: 'x', value: '={{ $json.a }}', type: 'number' }] } } },
    ], connections: { T: { main: [[{ node: 'S', type: 'main', index: 0 }]] } },
  });
  expect((await call({ source: 'parameter', workflowJson })).json).toEqual([[{ x: 5 }, { x: 6 }]]);
});

test.each([
  [{ workflowId: '' }, 'ParameterMissing'], [{ source: 'url', workflowUrl: 'http://x' }, 'NotSupported'], [{ source: 'parameter', workflowJson: '[]' }, 'InvalidJson'], [{ workflowId: 'none' }, 'WorkflowNotFound'],
])('refuses %p', async (parameters, code) => expect((await call(parameters)).error).toMatchObject({ code, node: 'Node' }));
