import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { NodeTypes } from './graph.ts';
import type { StartRequest } from './host.ts';
import type { ExecutionResult } from './node-run.ts';
import type { NodeContext, NodeType } from './node-type.ts';
import { ExecutionMode } from './node-run.ts';
import { executeTest, jsonOf, orderOf } from './testing/execute-test.ts';
import { callable, testHost } from './testing/test-host.ts';
import type { TestHost } from './testing/test-host.ts';
import { testNodes } from './testing/test-nodes.ts';
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

function nodeOf(type: string): NodeType {
  const found = testNodes().get(type);
  if (!found) throw new Error(`no node type ${type}`);
  return found;
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

const counting: NodeSketch = { type: 'set', parameters: { fields: { n: '={{ $static }}' } } };
const twice = (child: WorkflowDefinition): { parent: WorkflowDefinition; child: WorkflowDefinition } => ({
  child,
  parent: workflowOf({ Start: start, One: { type: 'call', parameters: { workflow: child.id } }, A: { type: 'effect' }, Two: { type: 'call', parameters: { workflow: child.id } }, B: { type: 'effect' } },
    ['Start > One', 'One > A', 'A > Two', 'Two > B'], { id: 'ns/parent' }),
});

test('all calls of one execution share the called workflow\'s static data, in every life', async () => {
  const { parent, child } = twice(childOf({}, counting));
  // Calling is an effect, as it is for the real node: a call that is over is not made again.
  const effectful = (nodes: NodeTypes): NodeTypes => new Map([...nodes].map(([name, type]) => [name, name === 'call' ? { ...type, effect: 'effectful' as const } : type]));
  const host = testHost({ loadWorkflow: async () => ({ definition: child, staticData: { global: { count: 10 }, nodes: {} } }) });
  const whole = await executeTest(parent, { mode: ExecutionMode.Api }, host, effectful(testNodes()));
  expect(jsonOf(whole, 'Two')).toEqual([{ n: 12 }]);
  expect(whole).toMatchObject({ otherStaticData: { 'ns/child': { global: { count: 12 } } } });
  expect(whole.staticData).toBeUndefined();
  for (let commits = 1; commits <= host.checkpoints.length; commits += 1) {
    const later = { ...host, loadWorkflow: async () => ({ definition: child, staticData: { global: { count: 77 }, nodes: {} } }) };
    const replayed = await executeTest(parent, { mode: ExecutionMode.Api, resume: host.checkpoints.slice(0, commits) }, later, effectful(testNodes()));
    expect(jsonOf(replayed, 'Two')).toEqual([{ n: 12 }]);
    expect(replayed).toMatchObject({ otherStaticData: { 'ns/child': { global: { count: 12 } } } });
  }
  expect((await executeTest(parent, { mode: ExecutionMode.Manual }, host, effectful(testNodes()))).otherStaticData).toBeUndefined();
});

test('every life runs the revision that the first one found', async () => {
  const [old, fresh] = [childOf(), childOf({}, { type: 'set', parameters: { fields: { fresh: true } } })];
  const child = { definition: workflowOf({ In: { type: 'executeWorkflowTrigger' }, Wait: { type: 'wait', parameters: { on: 'webhook' } }, Out: pass }, ['In > Wait', 'Wait > Out'], { id: 'ns/child' }), revision: 'r1' };
  const asked: (string | undefined)[] = [];
  const host = testHost({
    loadWorkflow: async (_, revision) => {
      asked.push(revision);
      return revision === 'r1' ? child : asked.length === 1 ? child : { definition: asked.length > 2 ? fresh : old, revision: 'r2' };
    },
  });
  expect((await executeTest(caller({}), {}, host)).status).toBe('Waiting');
  const ended = await executeTest(caller({}), { resume: host.checkpoints, resumeItems: [{ json: { by: 'call' } }] }, host);
  expect(jsonOf(ended, 'Call')).toEqual([{ by: 'call' }]);
  expect(asked).toEqual([undefined, undefined, 'r1']);
});

test('a time limit of the called workflow ends it, and the caller decides what that means', async () => {
  const child = childOf({ timeout: '20ms' }, { type: 'hang' });
  const host = testHost({ now: () => Date.now(), sleep: (ms, signal) => delay(ms, undefined, { signal }), loadWorkflow: async () => ({ definition: child }) });
  expect(await executeTest(caller({}), {}, host)).toMatchObject({ status: 'Failed', error: { code: 'ExecutionTimeout', node: 'Call' } });
});

test('an inline workflow acts for the one that holds it, whatever it calls itself', async () => {
  const guarded = childOf({ callerPolicy: 'list', callers: ['trusted'] }, pass, 'ns/guarded');
  const inline = workflowOf({ In: { type: 'executeWorkflowTrigger' }, Call: { type: 'call', parameters: { workflow: 'ns/guarded' } } }, ['In > Call'], { id: 'ns/trusted' });
  const nodes = new Map([...testNodes(), ['inline', { ...nodeOf('pass'), execute: async (context: NodeContext) => {
    const result = await context.runWorkflow({ workflow: inline, items: context.input(), wait: true });
    return [[{ json: { code: result?.error?.code } }]];
  } }]]);
  const parent = workflowOf({ Start: start, Inline: { type: 'inline' } }, ['Start > Inline'], { id: 'ns/stranger' });
  expect(jsonOf(await executeTest(parent, {}, hostWith(guarded), nodes), 'Inline')).toEqual([{ code: 'CallerNotAllowed' }]);
});

test('what descends from an error workflow starts none, and a host that can start executions gets them', async () => {
  const failing = workflowOf({ Start: start, Bad: { type: 'fail' } }, ['Start > Bad'], { settings: { errorWorkflow: 'on-error' } });
  const host = hostWith(onError);
  await executeTest(failing, { mode: ExecutionMode.SubWorkflow, underError: true }, host);
  expect(host.children).toEqual([]);
  const started: StartRequest[] = [];
  host.startWorkflow = async (request) => void started.push(request);
  await executeTest(failing, { mode: ExecutionMode.Webhook }, host);
  await executeTest(failing, { mode: ExecutionMode.Webhook, ending: { status: 'Failed', error: { code: 'ExecutorCrashed', message: 'gone', node: 'Bad' } } }, host);
  expect(started).toMatchObject([{ key: 'e1-error', workflow: 'on-error', mode: 'Error', underError: true, start: { node: 'Caught' } }, { start: { items: [{ json: { execution: { error: { code: 'ExecutorCrashed' } } } }] } }]);
  expect(host.children).toEqual([]);
});
