import { expect, test } from '@jest/globals';
import { ExecutionMode } from './node-run.ts';
import { executeTest, jsonOf, orderOf } from './testing/execute-test.ts';
import { testHost } from './testing/test-host.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';
import type { WorkflowDefinition } from './workflow.ts';

const start: NodeSketch = { type: 'start' };
const pass: NodeSketch = { type: 'pass' };
const rows = (...values: object[]): NodeSketch => ({ type: 'make', parameters: { rows: values } });

test('a chain runs in order and each run says where its items came from', async () => {
  const result = await executeTest(workflowOf({ Start: start, In: rows({ v: 1 }, { v: 2 }), End: pass }, ['Start > In', 'In > End']));
  expect(result).toMatchObject({ status: 'Succeeded', lastNode: 'End' });
  expect(orderOf(result)).toBe('Start#0 In#0 End#0');
  expect(result.runs[2]).toMatchObject({
    source: [{ node: 'In', output: 0, run: 0 }],
    outputs: [[{ json: { v: 1 }, pairedItem: { item: 0 } }, { json: { v: 2 }, pairedItem: { item: 1 } }]],
  });
});

test('a disabled node passes its first input on, a pinned node stands in only in manual runs', async () => {
  const workflow = workflowOf({ Start: start, In: rows({ v: 1 }), Off: { type: 'fail', disabled: true }, Pinned: rows({ v: 2 }), End: pass },
    ['Start > In', 'In > Off', 'Off > Pinned', 'Pinned > End'], { pinData: { Pinned: [{ json: { v: 9 } }] } });
  expect(jsonOf(await executeTest(workflow), 'End')).toEqual([{ v: 9 }]);
  expect(jsonOf(await executeTest(workflow, { mode: ExecutionMode.Webhook }), 'End')).toEqual([{ v: 2 }]);
  expect(workflow.pinData?.['Pinned']).toEqual([{ json: { v: 9 } }]);
});

test('executeOnce takes the first item of each input only', async () => {
  const workflow = workflowOf({ Start: start, A: rows({ a: 1 }, { a: 2 }), B: rows({ b: 1 }, { b: 2 }), Both: { type: 'join', executeOnce: true } },
    ['Start > A', 'Start > B', 'A > Both', 'B > Both.1']);
  expect(jsonOf(await executeTest(workflow), 'Both')).toEqual([{ a: 1 }, { b: 1 }]);
});

const silent = { type: 'make', parameters: { outputs: [[], [{ v: 1 }]] }, alwaysOutputData: true };
test.each([
  { name: 'n8n 2 looks at the first output', compat: 'n8n-v2', want: [{}] },
  { name: 'n8n 3 looks at all outputs', compat: 'n8n-v3', want: [] },
  { name: 'so does millrace', compat: 'millrace', want: [] },
] as const)('alwaysOutputData: $name', async ({ compat, want }) => {
  const result = await executeTest(workflowOf({ Start: start, Silent: silent }, ['Start > Silent'], { compat }));
  expect(jsonOf(result, 'Silent')).toEqual(want);
});

test('a failing node ends the execution, names itself, and leaves later branches unrun', async () => {
  const result = await executeTest(workflowOf({ Start: start, Up: pass, Bad: { type: 'fail' }, Down: pass }, ['Start > Up', 'Start > Bad', 'Start > Down']));
  expect(result).toMatchObject({ status: 'Failed', lastNode: 'Bad', error: { code: 'TestFailed', node: 'Bad', runIndex: 0 } });
  expect(orderOf(result)).toBe('Start#0 Up#0 Bad#0');
});

test('an expression that fails says parameter and item', async () => {
  const workflow = workflowOf({ Start: start, In: rows({ v: 1 }), Set: { type: 'set', parameters: { fields: { a: '={{ fail }}' } } } }, ['Start > In', 'In > Set']);
  expect((await executeTest(workflow)).error).toEqual({
    code: 'ExpressionFailed', message: 'this expression always fails', node: 'Set', parameter: 'fields', itemIndex: 0, runIndex: 0,
  });
});

test('a node of a type nobody registered fails only when it is reached', async () => {
  const wires = ['Start > None', 'None > Odd'];
  const reached = await executeTest(workflowOf({ Start: start, None: rows({}), Odd: { type: 'odd' } }, wires));
  expect(reached.error).toMatchObject({ code: 'UnknownNodeType', node: 'Odd' });
  expect((await executeTest(workflowOf({ Start: start, None: rows(), Odd: { type: 'odd' } }, wires))).status).toBe('Succeeded');
});

test('an unknown start node is an error, not a crash', async () => {
  const result = await executeTest(workflowOf({ Start: start }, []), { start: { node: 'Nobody', items: [] } });
  expect(result).toMatchObject({ status: 'Failed', error: { code: 'StartNodeMissing' }, runs: [] });
});

test('wires to nodes that do not exist carry nothing', async () => {
  expect(orderOf(await executeTest(workflowOf({ Start: start, End: pass }, ['Start > Gone', 'Gone > End', 'Start > End'])))).toBe('Start#0 End#0');
});

test('static data is handed back when it changed, but not from manual runs', async () => {
  const workflow = workflowOf({ Start: start, Set: { type: 'set', parameters: { fields: { n: '={{ $static }}' } } } }, ['Start > Set']);
  const host = testHost({ staticData: { global: { count: 4 }, nodes: {} } });
  expect((await executeTest(workflow, { mode: ExecutionMode.Schedule }, host)).staticData).toEqual({ global: { count: 5 } });
  expect(host.staticData).toEqual({ global: { count: 4 }, nodes: {} });
  expect((await executeTest(workflow, {}, host)).staticData).toBeUndefined();
});

test('a definition is never changed by running it', async () => {
  const workflow: WorkflowDefinition = workflowOf({ Start: start, In: rows({ v: { w: 1 } }), Set: { type: 'set', parameters: { fields: { a: '={{ $json.v }}' } } } }, ['Start > In', 'In > Set']);
  const before = structuredClone(workflow);
  await executeTest(workflow);
  expect(workflow).toEqual(before);
});
