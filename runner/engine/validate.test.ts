import { expect, test } from '@jest/globals';
import { plainSandbox } from './testing/plain-sandbox.ts';
import { testNodes } from './testing/test-nodes.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';
import { validateWorkflow } from './validate.ts';
import type { Problem } from './validate.ts';
import type { WorkflowDefinition } from './workflow.ts';

const start: NodeSketch = { type: 'start' };
const pass: NodeSketch = { type: 'pass' };

function problemsOf(workflow: WorkflowDefinition): Problem[] {
  return validateWorkflow(workflow, testNodes(), (template) => plainSandbox.check(template));
}

test('a complete workflow has none', () => {
  expect(problemsOf(workflowOf({ Start: start, End: pass }, ['Start > End'], { active: true }))).toEqual([]);
});

const unfinished: { name: string; workflow: WorkflowDefinition; want: Partial<Problem> }[] = [
  { name: 'a type that is almost known', workflow: workflowOf({ Start: start, End: { type: 'pas' } }, ['Start > End']), want: { code: 'UnknownNodeType', node: 'End', message: "There is no node type 'pas'. Did you mean 'pass'?" } },
  { name: 'a wire into nothing', workflow: workflowOf({ Start: start }, ['Start > Gone']), want: { code: 'ConnectionDangling', node: 'Start' } },
  { name: 'an expression that cannot be read', workflow: workflowOf({ Start: start, End: { type: 'set', parameters: { fields: { list: ['={{ $json.a'] } } } }, ['Start > End']), want: { code: 'ExpressionSyntax', node: 'End', parameter: 'fields.list.0' } },
  { name: 'a transaction that nothing takes part in', workflow: workflowOf({ Start: start }, [], { settings: { transaction: { credential: 'shop' } } }), want: { code: 'TransactionNotPossible' } },
  { name: 'a transaction over a wait', workflow: workflowOf({ Start: start, End: { type: 'wait' } }, ['Start > End'], { settings: { transaction: { credential: 'shop' } } }), want: { code: 'TransactionNotPossible', node: 'End' } },
  { name: 'no trigger', workflow: workflowOf({ End: pass }, []), want: { code: 'TriggerMissing' } },
  { name: 'a disabled trigger only', workflow: workflowOf({ Start: { ...start, disabled: true } }, []), want: { code: 'TriggerMissing' } },
];

test.each(unfinished)('unfinished: $name is an error once the workflow is active, before that a warning', ({ workflow, want }) => {
  expect(problemsOf({ ...workflow, active: true })).toEqual([expect.objectContaining({ ...want, severity: 'error' })]);
  expect(problemsOf(workflow)).toEqual([expect.objectContaining({ ...want, severity: 'warning' })]);
});

test.each<{ name: string; workflow: WorkflowDefinition; want: Partial<Problem> }>([
  { name: 'a node no trigger leads to', workflow: workflowOf({ Start: start, End: pass, Lost: pass }, ['Start > End']), want: { code: 'NodeUnreachable', node: 'Lost' } },
  { name: 'an output that does not exist', workflow: workflowOf({ Start: start, End: pass }, ['Start > End', 'Start.3 > End']), want: { code: 'OutputMissing', node: 'Start' } },
  { name: 'an input that does not exist', workflow: workflowOf({ Start: start, End: pass }, ['Start > End.4']), want: { code: 'InputMissing', node: 'End' } },
  { name: 'a compensation of what has no effect', workflow: workflowOf({ Start: start, End: pass, Undo: pass }, ['Start > End', 'End ~> Undo']), want: { code: 'CompensationNeedless', node: 'End' } },
  { name: 'a credential that is not named', workflow: workflowOf({ Start: start, End: { type: 'login', credentials: { other: { name: 'x' } } } }, ['Start > End']), want: { code: 'CredentialMissing', node: 'End' } },
  { name: 'a disabled node of an unknown type', workflow: workflowOf({ Start: start, End: { type: 'odd', disabled: true } }, ['Start > End']), want: { code: 'UnknownNodeType', node: 'End' } },
])('only a warning: $name', ({ workflow, want }) => {
  expect(problemsOf({ ...workflow, active: true })).toEqual([expect.objectContaining({ ...want, severity: 'warning' })]);
});

test('two nodes with one name are always an error', () => {
  const workflow = workflowOf({ Start: start }, []);
  expect(problemsOf({ ...workflow, nodes: [...workflow.nodes, ...workflow.nodes] })).toContainEqual(expect.objectContaining({ severity: 'error', code: 'NodeNameDuplicate' }));
});

test('what undoes a node is reached with it', () => {
  const wires = ['Start > Book', 'Book ~> Cancel', 'Cancel > Tell'];
  expect(problemsOf(workflowOf({ Start: start, Book: { type: 'effect' }, Cancel: pass, Tell: pass }, wires, { active: true }))).toEqual([]);
});

test('the error output exists only where the node asks for it', () => {
  const workflow = (sketch: NodeSketch): WorkflowDefinition => workflowOf({ Start: start, Node: sketch, End: pass }, ['Start > Node', 'Node.1 > End']);
  expect(problemsOf(workflow({ ...pass, onError: 'ErrorOutput' }))).toEqual([]);
  expect(problemsOf(workflow(pass))).toEqual([expect.objectContaining({ code: 'OutputMissing' })]);
});

test('a sub-node is reached with the node it serves', () => {
  const workflow = workflowOf({ Start: start, Agent: pass, Model: pass }, ['Start > Agent']);
  const connections = [...workflow.connections, { from: 'Model', output: 0, to: 'Agent', input: 0, type: 'ai_languageModel' }];
  expect(problemsOf({ ...workflow, connections })).toEqual([]);
});
