import { expect, test } from '@jest/globals';
import type { ExecutionResult } from './node-run.ts';
import { ExecutionMode } from './node-run.ts';
import { executeTest, jsonOf, orderOf } from './testing/execute-test.ts';
import { callable, testHost } from './testing/test-host.ts';
import type { TestHost } from './testing/test-host.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';
import type { WorkflowDefinition, WorkflowSettings } from './workflow.ts';

const start: NodeSketch = { type: 'start' };
const pass: NodeSketch = { type: 'pass' };

function hostWith(...workflows: WorkflowDefinition[]): TestHost & { children: { workflow: string; result: ExecutionResult }[] } {
  const children: { workflow: string; result: ExecutionResult }[] = [];
  const host = testHost({ loadWorkflow: async (id) => callable(workflows.find((each) => each.id === id)), onChild: (child) => children.push(child) });
  return Object.assign(host, { children });
}

function childOf(settings: WorkflowSettings = {}, body: NodeSketch = pass, id = 'ns/child'): WorkflowDefinition {
  return workflowOf({ In: { type: 'executeWorkflowTrigger' }, Body: body }, ['In > Body'], { id, name: 'Child', settings });
}

const caller = (parameters: object, more: Partial<WorkflowDefinition> = {}): WorkflowDefinition =>
  workflowOf({ Start: start, In: { type: 'make', parameters: { rows: [{ v: 1 }, { v: 2 }] } }, Call: { type: 'call', parameters: { workflow: 'ns/child', ...parameters } } },
    ['Start > In', 'In > Call'], { id: 'ns/parent', ...more });

test('a sub-workflow gets the items and gives back those of its last node', async () => {
  const host = hostWith(childOf());
  const result = await executeTest(caller({}), {}, host);
  expect(jsonOf(result, 'Call')).toEqual([{ v: 1 }, { v: 2 }]);
  expect(host.children).toMatchObject([{ workflow: 'ns/child', result: { status: 'Succeeded', lastNode: 'Body' } }]);
});

test.each([
  { name: 'by default those of the same namespace', settings: {}, parent: 'ns/parent', want: 'Succeeded' },
  { name: 'by default no others', settings: {}, parent: 'other/parent', want: 'Failed' },
  { name: 'none', settings: { callerPolicy: 'none' }, parent: 'ns/parent', want: 'Failed' },
  { name: 'any', settings: { callerPolicy: 'any' }, parent: 'other/parent', want: 'Succeeded' },
  { name: 'a list with the caller', settings: { callerPolicy: 'list', callers: ['parent'] }, parent: 'ns/parent', want: 'Succeeded' },
  { name: 'a list without the caller', settings: { callerPolicy: 'list', callers: ['someone'] }, parent: 'ns/parent', want: 'Failed' },
] as const)('who may call: $name', async ({ settings, parent, want }) => {
  const host = hostWith(childOf(settings));
  const result = await executeTest(caller({}, { id: parent }), {}, host);
  expect(result.status).toBe(want);
  if (want === 'Failed') expect(host.children).toMatchObject([{ result: { status: 'Failed', error: { code: 'CallerNotAllowed', node: 'Call' } } }]);
});

test.each([
  { name: 'unknown', workflows: [], code: 'WorkflowNotFound' },
  { name: 'not callable', workflows: [workflowOf({ Start: start }, [], { id: 'ns/child' })], code: 'StartNodeMissing' },
  { name: 'calling itself', workflows: [childOf({}, { type: 'call', parameters: { workflow: 'ns/child' } })], code: 'SubWorkflowTooDeep' },
])('a sub-workflow that is $name fails the calling node', async ({ workflows, code }) => {
  expect((await executeTest(caller({}), {}, hostWith(...workflows))).error).toMatchObject({ code, node: 'Call' });
});

test('one nobody waits for runs inside the execution unless the host starts it on its own', async () => {
  const inside = hostWith(childOf({}, { type: 'fail' }));
  expect((await executeTest(caller({ wait: false }), {}, inside)).status).toBe('Succeeded');
  expect(inside.children).toMatchObject([{ result: { status: 'Failed' } }]);

  const started: string[] = [];
  const apart = hostWith(childOf());
  apart.startWorkflow = async ({ key, start: { node, items } }) => void started.push(`${node} ${items.length} ${key}`);
  await executeTest(caller({ wait: false }), {}, apart);
  await executeTest(caller({ wait: false }), {}, apart);
  expect(started).toHaveLength(2);
  expect(started[0]).toMatch(/^In 2 e1-[0-9a-f]{12}$/);
  expect(started[1]).toBe(started[0]);
});

const onError = workflowOf({ Caught: { type: 'errorTrigger' }, Report: pass }, ['Caught > Report'], { id: 'on-error', name: 'On error' });

test.each([
  { mode: ExecutionMode.Webhook, want: 1 },
  { mode: ExecutionMode.Manual, want: 0 },
  { mode: ExecutionMode.Error, want: 0 },
])('a failed execution in mode $mode starts $want error workflows', async ({ mode, want }) => {
  const host = hostWith(onError);
  const workflow = workflowOf({ Start: start, Bad: { type: 'fail' } }, ['Start > Bad'], { settings: { errorWorkflow: 'on-error' } });
  await executeTest(workflow, { mode }, host);
  expect(host.children).toHaveLength(want);
  const [child] = host.children;
  if (child) {
    expect(orderOf(child.result)).toBe('Caught#0 Report#0');
    expect(jsonOf(child.result, 'Report')).toMatchObject([{ execution: { id: 'e1', lastNodeExecuted: 'Bad', mode: 'webhook', error: { code: 'TestFailed', node: { name: 'Bad', type: 'fail' } } }, workflow: { name: 'Test' } }]);
  }
});

test('a missing error workflow does not hide the failure', async () => {
  const workflow = workflowOf({ Start: start, Bad: { type: 'fail' } }, ['Start > Bad'], { settings: { errorWorkflow: 'gone' } });
  expect((await executeTest(workflow, { mode: ExecutionMode.Webhook }, hostWith())).error?.code).toBe('TestFailed');
});
