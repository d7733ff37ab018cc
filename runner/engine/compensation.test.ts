import { describe, expect, test } from '@jest/globals';
import { execute } from './engine.ts';
import type { ExecuteRequest } from './engine.ts';
import { WorkflowError } from './error.ts';
import type { NodeTypes } from './graph.ts';
import { ExecutionMode } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import { crashPoints, executeThroughCrash } from './testing/crash.ts';
import { executeTest, orderOf } from './testing/execute-test.ts';
import { callable, patientHost } from './testing/test-host.ts';
import type { TestHost } from './testing/test-host.ts';
import { Double, testNodes } from './testing/test-nodes.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';
import type { WorkflowDefinition } from './workflow.ts';

const start: NodeSketch = { type: 'start' };
const pass: NodeSketch = { type: 'pass' };
const fail: NodeSketch = { type: 'fail' };
const effect = (value: string): NodeSketch => ({ type: 'effect', parameters: { value } });
const undo = effect('={{ $json.value }}');

const trip = { Start: start, Flight: effect('flight'), Hotel: effect('hotel'), Pay: { ...fail, parameters: { effect: true } }, NoFlight: undo, NoHotel: undo };
const tripWires = ['Start > Flight', 'Flight > Hotel', 'Hotel > Pay', 'Flight ~> NoFlight', 'Hotel ~> NoHotel'];

interface Seen {
  result: ExecutionResult;
  double: Double;
  host: TestHost;
}

/** Calls of sub-workflows have effects, as those of the real node. */
function nodesOf(double: Double): NodeTypes {
  return new Map([...testNodes(double)].map(([name, type]) => [name, name === 'call' ? { ...type, effect: 'effectful' as const } : type]));
}

async function run(workflow: WorkflowDefinition, more: Partial<ExecuteRequest> = {}, host = patientHost()): Promise<Seen> {
  const double = new Double();
  return { result: await executeTest(workflow, { mode: ExecutionMode.Api, ...more }, host, nodesOf(double)), double, host };
}

function undoneIn({ calls }: Double): string[] {
  return calls.filter(({ node }) => node.startsWith('No')).map(({ node, value }) => `${node} ${String(value)}`);
}

test('what succeeded is undone in reverse order, with the items it put out', async () => {
  const { result, double } = await run(workflowOf(trip, tripWires));
  expect(result).toMatchObject({ status: 'Failed', error: { code: 'TestFailed', node: 'Pay' }, lastNode: 'Pay', compensated: 2 });
  expect(undoneIn(double)).toEqual(['NoHotel hotel', 'NoFlight flight']);
  expect(orderOf(result)).toBe('Start#0 Flight#0 Hotel#0 Pay#0 NoHotel#0 NoFlight#0');
  expect(result.runs.map(({ compensation }) => compensation ?? false)).toEqual([false, false, false, false, true, true]);
  expect(result.runs.at(-1)?.source).toEqual([{ node: 'Flight', output: 0, run: 0 }]);
});

test('a run counts for itself: of a loop every pass is undone, the last one first', async () => {
  const { double, result } = await run(workflowOf(
    { Start: start, Loop: { type: 'loop', parameters: { times: 3 } }, Bad: fail, Book: effect('={{ $runIndex }}'), NoBook: undo },
    ['Start > Loop', 'Loop.0 > Bad', 'Loop.1 > Book', 'Book > Loop', 'Book ~> NoBook']));
  expect(undoneIn(double)).toEqual(['NoBook 2', 'NoBook 1', 'NoBook 0']);
  expect(result.compensated).toBe(3);
});

test.each<{ name: string; workflow: WorkflowDefinition; more?: Partial<ExecuteRequest>; want?: object }>([
  { name: 'an execution that succeeds', workflow: workflowOf({ ...trip, Pay: pass }, tripWires), want: { status: 'Succeeded' } },
  { name: 'a failure that is handled', workflow: workflowOf({ ...trip, Pay: { ...fail, onError: 'Continue' } }, tripWires), want: { status: 'Succeeded' } },
  { name: 'a node that is disabled', workflow: workflowOf({ ...trip, Hotel: { ...trip.Hotel, disabled: true }, Flight: pass }, tripWires) },
  { name: 'a node that is pinned in a manual run', workflow: workflowOf({ Start: start, A: effect('a'), Bad: fail, NoA: undo }, ['Start > A', 'A > Bad', 'A ~> NoA'], { pinData: { A: [{ json: {} }] } }), more: { mode: ExecutionMode.Manual } },
  { name: 'a node without effects', workflow: workflowOf({ Start: start, A: pass, Bad: fail, NoA: undo }, ['Start > A', 'A > Bad', 'A ~> NoA']) },
  { name: 'an output without items', workflow: workflowOf({ Start: start, A: effect('a'), Bad: fail, NoA: undo }, ['Start > A', 'A > Bad', 'A.1 ~> NoA']) },
  { name: 'the node that failed', workflow: workflowOf({ Start: start, Bad: { ...fail, parameters: { effect: true } }, NoBad: undo }, ['Start > Bad', 'Bad ~> NoBad']) },
  { name: 'a part of a workflow', workflow: workflowOf(trip, tripWires), more: { partial: { to: 'Pay' } } },
])('$name: nothing is undone', async ({ workflow, more, want = { status: 'Failed' } }) => {
  const { result, double } = await run(workflow, more);
  expect(result).toMatchObject(want);
  expect(result.compensated).toBeUndefined();
  expect(undoneIn(double)).toEqual([]);
});

test('a branch may have several nodes, several wires and a wait', async () => {
  const workflow = workflowOf(
    { Start: start, A: effect('a'), Bad: fail, NoA: undo, Pause: { type: 'wait', parameters: { after: 1000 } }, NoLog: undo, NoMail: undo },
    ['Start > A', 'A > Bad', 'A ~> NoA', 'NoA > Pause', 'Pause > NoLog', 'A ~> NoMail']);
  const { result, double, host } = await run(workflow);
  expect(result).toMatchObject({ status: 'Waiting', wait: { node: 'Pause', until: host.clock + 1000 } });
  host.clock += 1000;
  const later = await executeTest(workflow, { mode: ExecutionMode.Api, resume: host.checkpoints }, host, testNodes(double));
  expect(later).toMatchObject({ status: 'Failed', error: { code: 'TestFailed' }, compensated: 1 });
  expect(undoneIn(double)).toEqual(['NoA a', 'NoLog a', 'NoMail a']);
});

test('a compensation that fails is tried again as its node says, is told of, and keeps no other from running', async () => {
  const { result, double, host } = await run(workflowOf(
    { ...trip, NoHotel: { ...fail, retry: { maxTries: 3 } } }, tripWires));
  expect(result).toMatchObject({
    status: 'Failed', lastNode: 'Pay', compensated: 1,
    error: { code: 'CompensationFailed', node: 'Hotel', runIndex: 0, message: expect.stringContaining("run 0 of 'Hotel' (TestFailed: failed on purpose)"), description: expect.stringContaining("TestFailed in 'Pay'") },
  });
  expect(undoneIn(double)).toEqual(['NoFlight flight']);
  expect(host.slept).toHaveLength(2);
});

test('compensations have a time of their own', async () => {
  const host = patientHost({ sleep: async (ms) => void (host.clock += ms) });
  const { result, double } = await run(workflowOf({ ...trip, NoHotel: { type: 'hang' } }, tripWires, { settings: { compensationTimeout: '5m' } }), {}, host);
  expect(host.clock).toBe(1_000_000 + 300_000);
  expect(result).toMatchObject({ status: 'Failed', compensated: 0, error: { code: 'CompensationFailed', message: expect.stringMatching(/^2 of .*'Hotel' \(CompensationTimeout.*'Flight' \(CompensationTimeout/) } });
  expect(undoneIn(double)).toEqual([]);
});

describe('an execution that is canceled', () => {
  const stuck = workflowOf({ ...trip, Pay: { type: 'hang' } }, tripWires);

  test('is undone, and canceled', async () => {
    const abort = new AbortController();
    const host = patientHost({ onNodeRun: ({ node }) => void (node === 'Hotel' && setImmediate(() => abort.abort())) });
    const { result, double } = await run(stuck, { signal: abort.signal }, host);
    expect(result).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionCanceled' }, compensated: 2 });
    expect(undoneIn(double)).toEqual(['NoHotel hotel', 'NoFlight flight']);
  });

  test('while what it just did is being committed, undoes that, too', async () => {
    const abort = new AbortController();
    const host = patientHost({ commit: async ({ runs }) => void (runs.some(({ node }) => node === 'Hotel') && abort.abort()) });
    const { result, double } = await run(stuck, { signal: abort.signal }, host);
    expect(result).toMatchObject({ status: 'Canceled', compensated: 2 });
    expect(undoneIn(double)).toEqual(['NoHotel hotel', 'NoFlight flight']);
  });

  test('is Failed when that did not work, and its error workflow starts', async () => {
    const abort = new AbortController();
    const started: string[] = [];
    const onError = workflowOf({ On: { type: 'errorTrigger' } }, [], { id: 'on-error' });
    const host = patientHost({
      onNodeRun: ({ node }) => void (node === 'Hotel' && setImmediate(() => abort.abort())),
      loadWorkflow: async () => callable(onError), startWorkflow: async ({ key }) => void started.push(key),
    });
    const { result } = await run(workflowOf({ ...trip, Pay: { type: 'hang' }, NoFlight: fail }, tripWires, { settings: { errorWorkflow: 'on-error' } }), { signal: abort.signal }, host);
    expect(result).toMatchObject({ status: 'Failed', error: { code: 'CompensationFailed' }, compensated: 1 });
    expect(started).toEqual(['e1-error']);
  });

  test('for it is over its time, is undone all the same', async () => {
    const { promise: isOver, resolve: reached } = Promise.withResolvers<void>();
    const host = patientHost({ onNodeRun: ({ node }) => void (node === 'Hotel' && setImmediate(reached)) });
    const { sleep } = host;
    host.sleep = (ms, signal) => (ms === 5 ? isOver.then(() => void (host.clock += 5)) : sleep(ms, signal));
    const { result, double } = await run(stuck, { deadline: host.clock + 5 }, host);
    expect(result).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionTimeout' }, compensated: 2 });
    expect(undoneIn(double)).toEqual(['NoHotel hotel', 'NoFlight flight']);
  });

  test('by somebody else, while it waited', async () => {
    const waiting = workflowOf({ ...trip, Pay: { type: 'wait', parameters: { on: 'webhook' } } }, tripWires);
    const { result, double, host } = await run(waiting);
    expect(result.status).toBe('Waiting');
    const ending = { status: 'Canceled', error: { code: 'ExecutionCanceled', message: 'canceled' } } as const;
    const later = await executeTest(waiting, { mode: ExecutionMode.Api, resume: host.checkpoints, ending }, host, testNodes(double));
    expect(later).toMatchObject({ ...ending, compensated: 2 });
    expect(orderOf(later)).toBe('Start#0 Flight#0 Hotel#0 NoHotel#0 NoFlight#0');
    expect(double.calls).toHaveLength(4);
  });

  test('is not canceled again while it is being undone, but can be taken away', async () => {
    const abort = new AbortController();
    const handBack = new AbortController();
    const lost = new WorkflowError('LeaseLost', 'gone');
    const host = patientHost({ onNodeRun: ({ node }) => {
      if (node === 'Hotel') setImmediate(() => abort.abort());
      if (node === 'NoHotel') handBack.abort(lost);
    } });
    const double = new Double();
    const request = { mode: ExecutionMode.Api, signal: abort.signal };
    await expect(executeTest(stuck, { ...request, handBack: handBack.signal }, host, testNodes(double))).rejects.toBe(lost);
    expect(undoneIn(double)).toEqual(['NoHotel hotel']);
    // What was undone before counts, however late the next life comes.
    host.clock += 86_400_000;
    const later = await executeTest(stuck, { ...request, resume: host.checkpoints }, host, testNodes(double));
    expect(later).toMatchObject({ status: 'Canceled', compensated: 2 });
    expect(new Set(double.calls.map(({ key }) => key)).size).toBe(4);
  });
});

test('an endless loop is undone, too', async () => {
  const { result, double } = await run(workflowOf({ Start: start, A: effect('a'), B: pass, C: pass, NoA: undo }, ['Start > A', 'A > B', 'B > C', 'C > B', 'A ~> NoA']), { maxNodeRuns: 50 });
  expect(result).toMatchObject({ status: 'Failed', error: { code: 'EndlessLoop' }, compensated: 1 });
  expect(undoneIn(double)).toEqual(['NoA a']);
});

test('a sub-workflow undoes what it did itself, a call of it that succeeded is undone like any node', async () => {
  const child = workflowOf({ In: { type: 'executeWorkflowTrigger' }, C: effect('c'), Bad: { ...fail, parameters: { times: '={{ $json.times }}' } }, NoC: undo }, ['In > C', 'C > Bad', 'C ~> NoC'], { id: 'child' });
  const good = workflowOf({ In: { type: 'executeWorkflowTrigger' }, G: effect('g'), NoG: undo }, ['In > G', 'G ~> NoG'], { id: 'good' });
  const host = patientHost({ loadWorkflow: async (id) => callable({ child, good }[id]) });
  const { result, double } = await run(workflowOf(
    { Start: start, Good: { type: 'call', parameters: { workflow: 'good' } }, A: effect('a'), Call: { type: 'call', parameters: { workflow: 'child' } }, NoGood: undo, NoA: undo },
    ['Start > Good', 'Good > A', 'A > Call', 'A ~> NoA', 'Good ~> NoGood']), {}, host);
  expect(result).toMatchObject({ status: 'Failed', error: { code: 'TestFailed', node: 'Call' } });
  expect(undoneIn(double)).toEqual(['NoC c', 'NoA a', 'NoGood g']);
});

test.each(['while it runs', 'while it waits'])('what a sub-workflow did that is under way when its caller is canceled, %s, is told of, not lost without a word', async (when) => {
  const abort = new AbortController();
  const last = when === 'while it runs' ? { type: 'hang' } : { type: 'wait', parameters: { on: 'webhook' } };
  const child = workflowOf({ In: { type: 'executeWorkflowTrigger' }, C: effect('c'), Last: last, NoC: undo }, ['In > C', 'C > Last', 'C ~> NoC'], { id: 'child' });
  const good = workflowOf({ In: { type: 'executeWorkflowTrigger' }, G: effect('g'), NoG: undo }, ['In > G', 'G ~> NoG'], { id: 'good' });
  const host = patientHost({ loadWorkflow: async (id) => callable({ child, good }[id]) });
  const workflow = workflowOf(
    { Start: start, A: effect('a'), Good: { type: 'call', parameters: { workflow: 'good' } }, Call: { type: 'call', parameters: { workflow: 'child' } }, NoA: { type: 'call', parameters: { workflow: 'good' } } },
    ['Start > A', 'A > Good', 'Good > Call', 'A ~> NoA']);
  const { commit } = host;
  host.commit = async (checkpoint) => {
    await commit(checkpoint);
    if (when === 'while it runs' && checkpoint.runs.some(({ node }) => node === 'C')) setImmediate(() => abort.abort());
  };
  const first = await run(workflow, { signal: abort.signal }, host);
  const ending = { status: 'Canceled', error: { code: 'ExecutionCanceled', message: 'canceled' } } as const;
  const { result, double } = first.result.status === 'Waiting' ? await run(workflow, { resume: host.checkpoints, ending }, host) : first;
  const want = {
    status: 'Failed', compensated: 1, error: { code: 'CompensationFailed', message: expect.stringMatching(/^1 of .*run 0 of 'C' \(SubWorkflowCutOff/), description: expect.stringContaining('ExecutionCanceled') },
  };
  expect(result).toMatchObject(want);
  expect(double.calls.map(({ node }) => node).at(-1)).toBe('G');
  const again = await run(workflow, { resume: host.checkpoints, ending }, host);
  expect(again.result).toMatchObject(want);
});

/** A sequence of effects that may fail, some of which can be undone, from a seed. */
function randomChain(seed: number): { workflow: WorkflowDefinition; want: string[] } {
  let state = seed;
  const random = (n: number): number => (state = (state * 48_271) % 2_147_483_647) % n;
  const length = 1 + random(8);
  const failsAt = random(length + 2);
  const nodes: Record<string, NodeSketch> = { Start: start };
  const wires: string[] = [];
  const want: string[] = [];
  let last = 'Start';
  for (let n = 0; n < length; n += 1) {
    const name = `N${n}`;
    const isEffect = random(4) > 0;
    nodes[name] = n === failsAt ? { ...fail, parameters: { effect: isEffect } } : isEffect ? effect(name) : pass;
    wires.push(`${last} > ${name}`);
    last = name;
    if (random(3) === 0) continue;
    nodes[`No${n}`] = random(3) === 0 ? effect(name) : undo;
    wires.push(`${name} ~> No${n}`);
    if (n < failsAt && isEffect) want.unshift(`No${n} ${name}`);
  }
  return { workflow: workflowOf(nodes, wires), want: failsAt < length ? want : [] };
}

test('of 150 random chains exactly what succeeded is undone, in reverse, through every crash', async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const { workflow, want } = randomChain(seed * 7919);
    const request: ExecuteRequest = { executionId: 'e1', workflow, mode: ExecutionMode.Api, start: { node: 'Start', items: [{ json: { value: 'start' } }] } };
    const plain = new Double();
    const log = { commits: 0, lives: 0 };
    const result = await executeThroughCrash(request, patientHost(), testNodes(plain), { log });
    expect({ seed, undone: undoneIn(plain), compensated: result.compensated ?? 0 }).toEqual({ seed, undone: want, compensated: want.length });
    for (const point of crashPoints(log.commits)) {
      const double = new Double();
      const crashed = await executeThroughCrash(request, patientHost(), testNodes(double), { point, log: { commits: 0, lives: 0 } });
      const first = [...new Map(double.calls.map((call) => [call.key, call])).values()];
      expect({ seed, point, undone: undoneIn(Object.assign(new Double(), { calls: first })) }).toEqual({ seed, point, undone: want });
      expect(double.calls.length - first.length).toBeLessThanOrEqual(point.when === 'before' ? 1 : 0);
      expect(orderOf(crashed)).toBe(orderOf(result));
      expect(crashed).toMatchObject({ status: result.status, ...(result.compensated === undefined ? {} : { compensated: result.compensated }) });
    }
  }
});

test('once it is being undone it stays so, whatever a later life would come to', async () => {
  const workflow = workflowOf(trip, tripWires);
  const { host, double } = await run(workflow);
  const healed = workflowOf({ ...trip, Pay: pass }, tripWires);
  const later = await execute({ executionId: 'e1', workflow: healed, mode: ExecutionMode.Api, start: { node: 'Start', items: [{ json: {} }] }, resume: host.checkpoints }, host, testNodes(double));
  expect(later).toMatchObject({ status: 'Failed', error: { code: 'TestFailed' }, compensated: 2 });
  expect(double.calls).toHaveLength(5);
});
