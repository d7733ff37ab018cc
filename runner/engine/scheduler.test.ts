import { expect, test } from '@jest/globals';
import { executeTest, jsonOf, orderOf } from './testing/execute-test.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';

const start: NodeSketch = { type: 'start' };
const pass: NodeSketch = { type: 'pass' };
const at = (x: number, y: number, sketch: NodeSketch = pass): NodeSketch => ({ ...sketch, position: [x, y] });
const split = (...outputs: object[][]): NodeSketch => ({ type: 'make', parameters: { outputs } });
const join: NodeSketch = { type: 'join' };

test('v1 finishes a branch before the next, from top to bottom, then from left to right', async () => {
  const workflow = workflowOf(
    { Start: start, Low: at(0, 300), Right: at(200, 100), Left: at(100, 100), Left2: at(300, 500), Top: at(0, -100) },
    ['Start > Low', 'Start > Right', 'Start > Left', 'Left > Left2', 'Start > Top'],
  );
  expect(orderOf(await executeTest(workflow))).toBe('Start#0 Top#0 Left#0 Left2#0 Right#0 Low#0');
});

test('v0 goes level by level in wire order', async () => {
  const workflow = workflowOf({ Start: start, A: at(0, 300), A2: pass, B: at(0, 0), B2: pass }, ['Start > A', 'Start > B', 'A > A2', 'B > B2'], { settings: { executionOrder: 'v0' } });
  expect(orderOf(await executeTest(workflow))).toBe('Start#0 A#0 B#0 A2#0 B2#0');
});

test.each([
  { compat: 'millrace', want: 'Start#0 A#0 B#0 C#0' },
  { compat: 'n8n-v2', want: 'Start#0 C#0 B#0 A#0' },
] as const)('nodes at the same place: $compat runs $want', async ({ compat, want }) => {
  const workflow = workflowOf({ Start: start, A: at(0, 0), B: at(0, 0), C: at(0, 0) }, ['Start > A', 'Start > B', 'Start > C'], { compat });
  expect(orderOf(await executeTest(workflow))).toBe(want);
});

test('outputs without items start nothing', async () => {
  const workflow = workflowOf({ Start: start, If: split([], [{ v: 1 }]), Yes: pass, No: pass }, ['Start > If', 'If.0 > Yes', 'If.1 > No']);
  expect(orderOf(await executeTest(workflow))).toBe('Start#0 If#0 No#0');
});

test('two wires into one input are two runs, wires into different inputs are one', async () => {
  const workflow = workflowOf({ Start: start, A: pass, B: pass, Same: pass, Both: join }, ['Start > A', 'Start > B', 'A > Same', 'B > Same', 'A > Both', 'B > Both.1']);
  expect(orderOf(await executeTest(workflow))).toBe('Start#0 A#0 Same#0 B#0 Same#1 Both#0');
});

test('a join whose other branch is dead runs last, with what it has', async () => {
  const workflow = workflowOf({ Start: start, If: split([{ v: 1 }], []), Yes: pass, No: pass, Both: join, Other: pass },
    ['Start > If', 'Start > Other', 'If.0 > Yes', 'If.1 > No', 'Yes > Both', 'No > Both.1']);
  const result = await executeTest(workflow);
  expect(orderOf(result)).toBe('Start#0 If#0 Yes#0 Other#0 Both#0');
  expect(result.runs.at(-1)?.source).toEqual([{ node: 'Yes', output: 0, run: 0 }, null]);
});

test('a join that requires all its inputs does not run without them', async () => {
  const workflow = workflowOf({ Start: start, If: split([{ v: 1 }], []), Both: { type: 'join', parameters: { all: true } } }, ['Start > If', 'If.0 > Both', 'If.1 > Both.1']);
  expect(orderOf(await executeTest(workflow))).toBe('Start#0 If#0');
});

test('a join that another waiting join feeds goes after it', async () => {
  const workflow = workflowOf(
    { Start: start, X: at(0, -300), If: at(0, 0, split([{ v: 1 }], [])), Late: at(0, -200, join), Early: at(0, 100, join) },
    ['Start > X', 'Start > If', 'X > Late', 'If.0 > Early', 'If.1 > Early.1', 'Early > Late.1'],
  );
  expect(orderOf(await executeTest(workflow))).toBe('Start#0 X#0 If#0 Early#0 Late#0');
});

test('two wires into one input of a join: a pair first, then the rest alone', async () => {
  const workflow = workflowOf({ Start: start, A: split([{ a: 1 }]), B: split([{ b: 1 }]), D: split([{ d: 1 }]), Both: join, After: pass },
    ['Start > A', 'Start > B', 'Start > D', 'A > Both', 'B > Both', 'D > Both.1', 'Both > After']);
  const result = await executeTest(workflow);
  expect(orderOf(result)).toBe('Start#0 A#0 B#0 D#0 Both#0 After#0 Both#1 After#1');
  expect(jsonOf(result, 'Both')).toEqual([{ b: 1 }]);
});

test('v0 forces a dead branch in front of a join to run with an empty item, from its start', async () => {
  const workflow = workflowOf({ Start: start, If: split([{ v: 1 }], []), Yes: pass, No1: pass, No2: pass, Both: join },
    ['Start > If', 'If.0 > Yes', 'If.1 > No1', 'No1 > No2', 'Yes > Both', 'No2 > Both.1'], { settings: { executionOrder: 'v0' } });
  const result = await executeTest(workflow);
  expect(orderOf(result)).toBe('Start#0 If#0 Yes#0 No1#0 No2#0 Both#0');
  expect(jsonOf(result, 'Both')).toEqual([{ v: 1 }, {}]);
});

test('v0: an output without items still reports to the second input of a join', async () => {
  const workflow = workflowOf({ Start: start, If: split([{ v: 1 }], []), Yes: pass, Both: join, Other: pass }, ['Start > If', 'Start > Other', 'If.0 > Yes', 'If.1 > Both.1', 'Yes > Both'],
    { settings: { executionOrder: 'v0' } });
  const result = await executeTest(workflow);
  expect(orderOf(result)).toBe('Start#0 If#0 Other#0 Yes#0 Both#0');
  expect(result.runs.at(-1)?.source).toEqual([{ node: 'Yes', output: 0, run: 0 }, { node: 'If', output: 1, run: 0 }]);
});

test('a back edge runs its nodes again under the next run index', async () => {
  const workflow = workflowOf({ Start: start, Loop: { type: 'loop', parameters: { times: 2 } }, Done: pass, Body: pass },
    ['Start > Loop', 'Loop.0 > Done', 'Loop.1 > Body', 'Body > Loop']);
  expect(orderOf(await executeTest(workflow))).toBe('Start#0 Loop#0 Body#0 Loop#1 Body#1 Loop#2 Done#0');
});

test('joins that wait for each other do not hold up the end', async () => {
  const workflow = workflowOf({ Start: start, A: join, B: join }, ['Start > A', 'Start > B', 'A > B.1', 'B > A.1']);
  expect((await executeTest(workflow, { maxNodeRuns: 50 })).runs.length).toBeGreaterThan(2);
});
