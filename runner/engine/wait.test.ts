import { expect, test } from '@jest/globals';
import { executeTest, jsonOf, orderOf } from './testing/execute-test.ts';
import { testHost } from './testing/test-host.ts';
import { Double, testNodes } from './testing/test-nodes.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';

const start: NodeSketch = { type: 'start' };
const pass: NodeSketch = { type: 'pass' };
const effect: NodeSketch = { type: 'effect' };
const random: NodeSketch = { type: 'set', parameters: { fields: { r: '={{ $random }}' } } };

test('a wait for a time is persisted and goes on with its input once the time is up', async () => {
  const workflow = workflowOf({ Start: start, A: effect, R: random, Wait: { type: 'wait', parameters: { after: 100_000 } }, End: pass, Low: pass },
    ['Start > A', 'A > R', 'R > Wait', 'Wait > End', 'Start > Low']);
  const host = testHost();
  const double = new Double();
  const waiting = await executeTest(workflow, {}, host, testNodes(double));
  expect(waiting).toMatchObject({ status: 'Waiting', wait: { node: 'Wait', until: host.clock + 100_000 } });

  const tooEarly = await executeTest(workflow, { resume: host.checkpoints }, host, testNodes(double));
  expect(tooEarly).toMatchObject({ status: 'Waiting', wait: waiting.wait ?? {} });

  host.clock += 100_000;
  const ended = await executeTest(workflow, { resume: host.checkpoints }, host, testNodes(double));
  expect(ended.status).toBe('Succeeded');
  expect(orderOf(ended)).toBe('Start#0 A#0 R#0 Wait#0 End#0 Low#0');
  expect(jsonOf(ended, 'End')).toEqual(jsonOf(waiting, 'R'));
  expect(double.calls).toHaveLength(1);
});

test('a wait for a request goes on with the items it brings, and never by itself', async () => {
  const workflow = workflowOf({ Start: start, Wait: { type: 'wait', parameters: { on: 'webhook' } }, End: pass }, ['Start > Wait', 'Wait > End']);
  const host = testHost();
  expect(await executeTest(workflow, {}, host)).toMatchObject({ status: 'Waiting', wait: { node: 'Wait', on: 'webhook' } });
  host.clock += 1e12;
  expect((await executeTest(workflow, { resume: host.checkpoints }, host)).status).toBe('Waiting');
  const ended = await executeTest(workflow, { resume: host.checkpoints, resumeItems: [{ json: { answer: 1 } }] }, host);
  expect(jsonOf(ended, 'End')).toEqual([{ answer: 1 }]);
});

test('two waits in a row: a crash after the first was over waits only for the second', async () => {
  const workflow = workflowOf({ Start: start, W1: { type: 'wait', parameters: { on: 'webhook' } }, A: effect, W2: { type: 'wait', parameters: { on: 'webhook' } }, End: pass },
    ['Start > W1', 'W1 > A', 'A > W2', 'W2 > End']);
  const host = testHost();
  const double = new Double();
  await executeTest(workflow, {}, host, testNodes(double));
  const second = await executeTest(workflow, { resume: host.checkpoints, resumeItems: [{ json: { n: 1 } }] }, host, testNodes(double));
  expect(second.wait?.node).toBe('W2');
  expect((await executeTest(workflow, { resume: host.checkpoints }, host, testNodes(double))).wait?.node).toBe('W2');
  const ended = await executeTest(workflow, { resume: host.checkpoints, resumeItems: [{ json: { n: 2 } }] }, host, testNodes(double));
  expect(jsonOf(ended, 'W1')).toEqual([{ n: 1 }]);
  expect(jsonOf(ended, 'End')).toEqual([{ n: 2 }]);
  expect(double.calls).toHaveLength(1);
});

test('a wait in a sub-workflow suspends the whole execution, even below a node that goes on after errors', async () => {
  const child = workflowOf({ In: { type: 'executeWorkflowTrigger' }, Wait: { type: 'wait', parameters: { on: 'form' } }, Out: pass }, ['In > Wait', 'Wait > Out'], { id: 'child', name: 'Child' });
  const workflow = workflowOf({ Start: start, Call: { type: 'call', parameters: { workflow: 'child' }, onError: 'Continue' }, End: pass }, ['Start > Call', 'Call > End']);
  const host = testHost({ loadWorkflow: async () => ({ definition: child }) });
  expect(await executeTest(workflow, {}, host)).toMatchObject({ status: 'Waiting', wait: { node: 'Wait', on: 'form' } });
  const ended = await executeTest(workflow, { resume: host.checkpoints, resumeItems: [{ json: { filled: true } }] }, host);
  expect(jsonOf(ended, 'End')).toEqual([{ filled: true }]);
});

test('an execution whose sub-workflow waits on its own is over when that is', async () => {
  const child = workflowOf({ In: { type: 'executeWorkflowTrigger' }, Wait: { type: 'wait', parameters: { after: 70_000 } } }, ['In > Wait'], { id: 'child', name: 'Child' });
  const workflow = workflowOf({ Start: start, Call: { type: 'call', parameters: { workflow: 'child', wait: false } } }, ['Start > Call']);
  const ended: string[] = [];
  const host = testHost({ loadWorkflow: async () => ({ definition: child }), onChild: ({ result }) => ended.push(result.status) });
  expect((await executeTest(workflow, {}, host)).status).toBe('Waiting');
  host.clock += 70_000;
  expect((await executeTest(workflow, { resume: host.checkpoints }, host)).status).toBe('Succeeded');
  expect(ended).toEqual(['Succeeded']);
});
