import { describe, expect, test } from '@jest/globals';
import type { ExecuteRequest } from './engine.ts';
import { WorkflowError } from './error.ts';
import { ExecutionMode } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import { crashPoints, executeThroughCrash } from './testing/crash.ts';
import { executeTest, jsonOf, orderOf } from './testing/execute-test.ts';
import { callable } from './testing/test-host.ts';
import { Double, testNodes } from './testing/test-nodes.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';
import { virtualTimeHost } from './testing/virtual-time.ts';
import type { WorkflowDefinition } from './workflow.ts';

const start: NodeSketch = { type: 'start' };
const pass: NodeSketch = { type: 'pass' };
const join: NodeSketch = { type: 'join' };
const slow = (ms: number, more: object = {}): NodeSketch => ({ type: 'slow', parameters: { ms, ...more } });
const set = (fields: object): NodeSketch => ({ type: 'set', parameters: { fields } });

function parallel(nodes: Record<string, NodeSketch>, wires: string[], parallelBranches = 4): WorkflowDefinition {
  return workflowOf(nodes, wires, { settings: { parallelBranches } });
}

/** When each run began and ended, in milliseconds since the start. */
function timesOf({ runs }: ExecutionResult): Record<string, [number, number]> {
  const begin = Math.min(...runs.map(({ startedAt }) => startedAt));
  return Object.fromEntries(runs.map(({ node, runIndex, startedAt, durationMs }) => [runIndex === 0 ? node : `${node}#${runIndex}`, [startedAt - begin, startedAt - begin + durationMs]]));
}

function seen({ runs, ...rest }: ExecutionResult): unknown {
  return { ...rest, runs: runs.map((run) => ({ ...run, startedAt: 0, durationMs: 0 })) };
}

const diamond = { Start: start, A1: slow(100), A2: slow(100), B1: slow(50), B2: slow(200), Both: join, End: slow(10) };
const diamondWires = ['Start > A1', 'A1 > A2', 'Start > B1', 'B1 > B2', 'A2 > Both', 'B2 > Both.1', 'Both > End'];

test('branches overlap; a merge waits for both; the record is that of one after the other', async () => {
  const result = await executeTest(parallel(diamond, diamondWires), {}, virtualTimeHost());
  expect(timesOf(result)).toMatchObject({ A1: [0, 100], A2: [100, 200], B1: [0, 50], B2: [50, 250], Both: [250, 250], End: [250, 260] });
  const sequential = await executeTest(parallel(diamond, diamondWires, 1), {}, virtualTimeHost());
  expect(timesOf(sequential)).toMatchObject({ A1: [0, 100], B1: [200, 250], End: [450, 460] });
  expect(seen(result)).toEqual(seen(sequential));
});

test('no more nodes run at the same time than the workflow allows', async () => {
  const names = ['A', 'B', 'C', 'D', 'E'];
  const result = await executeTest(parallel({ Start: start, ...Object.fromEntries(names.map((name) => [name, slow(100)])) }, names.map((name) => `Start > ${name}`), 2), {}, virtualTimeHost());
  expect(timesOf(result)).toMatchObject({ A: [0, 100], B: [0, 100], C: [100, 200], D: [100, 200], E: [200, 300] });
});

test('v0 knows no parallel branches', async () => {
  const result = await executeTest(workflowOf(diamond, diamondWires, { settings: { parallelBranches: 4, executionOrder: 'v0' } }), {}, virtualTimeHost());
  expect(timesOf(result)).toMatchObject({ A1: [0, 100], B1: [100, 150] });
});

describe('a branch waits for the ones before it', () => {
  test.each([
    { name: 'that its expressions name', b: set({ x: "={{ $('A').A }}" }), want: { B: [100, 100] } },
    { name: 'whose expressions name it', a: set({ x: "={{ $('B').x }}" }), want: { Slow: [100, 200], B: [200, 210] } },
    { name: 'when it may name any', b: set({ x: '={{ $[0] }}' }), want: { B: [100, 100] } },
    { name: 'that use static data like itself', a: set({ x: '={{ $static }}' }), b: set({ x: '={{ $static }}' }), want: { B: [200, 200] } },
    { name: 'but not any other', b: slow(10), want: { B: [0, 10] } },
  ])('$name', async ({ a, b = slow(10), want }) => {
    const host = virtualTimeHost();
    const nodes = testNodes();
    const workflow = (limit: number): WorkflowDefinition => parallel(
      a ? { Start: start, A: slow(100), Slow: slow(100), Uses: a, B: b } : { Start: start, A: slow(100), B: b },
      a ? ['Start > A', 'A > Slow', 'Slow > Uses', 'Start > B'] : ['Start > A', 'Start > B'], limit);
    const result = await executeTest(workflow(4), {}, host, nodes);
    const times = timesOf(result);
    for (const [node, time] of Object.entries(want)) expect([node, times[node]]).toEqual([node, time]);
    expect(seen(result)).toEqual(seen(await executeTest(workflow(1), {}, virtualTimeHost(), nodes)));
  });
});

test('branches of a loop body that end in a merge overlap in every pass', async () => {
  const nodes = { Start: start, Loop: { type: 'loop', parameters: { times: 3 } }, Done: pass, A: slow(100), B: slow(70), Both: join };
  const wires = ['Start > Loop', 'Loop.0 > Done', 'Loop.1 > A', 'Loop.1 > B', 'A > Both', 'B > Both.1', 'Both > Loop'];
  const result = await executeTest(parallel(nodes, wires), {}, virtualTimeHost());
  expect(timesOf(result)).toMatchObject({ A: [0, 100], B: [0, 70], 'A#1': [100, 200], 'B#1': [100, 170], 'B#2': [200, 270], Done: [300, 300] });
  expect(seen(result)).toEqual(seen(await executeTest(parallel(nodes, wires, 1), {}, virtualTimeHost())));
});

test('a branch that leads back into a loop keeps others in the loop waiting, as their turn is after it', async () => {
  const nodes = { Start: start, Loop: { type: 'loop', parameters: { times: 2 } }, Done: pass, A: slow(100), B: slow(70) };
  const wires = ['Start > Loop', 'Loop.0 > Done', 'Loop.1 > A', 'Loop.1 > B', 'A > Loop'];
  const result = await executeTest(parallel(nodes, wires), {}, virtualTimeHost());
  expect(orderOf(result)).toBe('Start#0 Loop#0 A#0 Loop#1 A#1 Loop#2 Done#0 B#0 B#1');
  expect(seen(result)).toEqual(seen(await executeTest(parallel(nodes, wires, 1), {}, virtualTimeHost())));
});

test('a failure stops the other branches at once, and what it reports does not depend on which failed first', async () => {
  const double = new Double();
  const workflow = parallel({ Start: start, A: slow(100), A2: slow(1), B: slow(50, { fails: true }), C: slow(50, { fails: true }), D: pass, D2: slow(1000) },
    ['Start > A', 'A > A2', 'Start > B', 'Start > C', 'Start > D', 'D > D2']);
  const host = virtualTimeHost();
  const result = await executeTest(workflow, {}, host, testNodes(double));
  expect(result).toMatchObject({ status: 'Failed', lastNode: 'B', error: { code: 'TestFailed', node: 'B' } });
  expect(host.clock).toBe(1_000_050);
  expect(double.calls.map(({ node }) => node)).toEqual(['A', 'B', 'C', 'D2']);
  expect(orderOf(result)).toMatch(/^Start#0 B#0/u);
});

test('a failure that is handled stops nothing', async () => {
  const workflow = parallel({ Start: start, A: slow(100), B: { ...slow(50, { fails: true }), onError: 'Continue' } }, ['Start > A', 'Start > B']);
  expect(await executeTest(workflow, {}, virtualTimeHost())).toMatchObject({ status: 'Succeeded', lastNode: 'B' });
});

describe('waits', () => {
  test('one for a call lets what runs come to its end, and then parks; the rest goes on afterwards', async () => {
    const double = new Double();
    const workflow = parallel({ Start: start, A: slow(10), Wait: { type: 'wait', parameters: { on: 'webhook' } }, A2: slow(10), B: slow(100), B2: slow(10) },
      ['Start > A', 'A > Wait', 'Wait > A2', 'Start > B', 'B > B2']);
    const host = virtualTimeHost();
    const waiting = await executeTest(workflow, {}, host, testNodes(double));
    expect(waiting).toMatchObject({ status: 'Waiting', wait: { node: 'Wait', on: 'webhook' } });
    expect(double.calls.map(({ node }) => node)).toEqual(['A', 'B']);
    expect(host.checkpoints.at(-1)).toMatchObject({ waiting: { node: 'Wait', runIndex: 0 }, runs: [{ node: 'A' }, { node: 'B' }] });
    const ended = await executeTest(workflow, { resume: host.checkpoints, resumeItems: [{ json: { called: true } }] }, virtualTimeHost(), testNodes(double));
    expect(orderOf(ended)).toBe('Start#0 A#0 Wait#0 A2#0 B#0 B2#0');
    expect(jsonOf(ended, 'A2')).toEqual([{ called: true, A2: 0 }]);
    expect(double.calls.map(({ node }) => node).toSorted()).toEqual(['A', 'A2', 'B', 'B2']);
  });

  test('what a call brought survives a crash around any commit after it', async () => {
    const workflow = parallel({ Start: start, B: slow(10), B2: slow(10), B3: slow(10), C: slow(5), C2: slow(5), P: pass, Wait: { type: 'wait', parameters: { on: 'webhook' } }, A2: slow(1), A3: slow(1) },
      ['Start > B', 'B > B2', 'B2 > B3', 'Start > C', 'C > C2', 'Start > P', 'P > Wait', 'Wait > A2', 'A2 > A3'], 3);
    const parked = virtualTimeHost();
    expect(await executeTest(workflow, {}, parked)).toMatchObject({ status: 'Waiting' });
    const request: ExecuteRequest = {
      executionId: 'e1', workflow, mode: ExecutionMode.Schedule, start: { node: 'Start', items: [{ json: {} }] }, resume: parked.checkpoints, resumeItems: [{ json: { called: true } }],
    };
    const log = { commits: 0, lives: 0 };
    const result = await executeThroughCrash(request, virtualTimeHost(), testNodes(), { log });
    expect(orderOf(result)).toBe('Start#0 B#0 B2#0 B3#0 C#0 C2#0 P#0 Wait#0 A2#0 A3#0');
    expect(log.commits).toBeGreaterThan(1);
    for (const point of crashPoints(log.commits)) {
      expect(seen(await executeThroughCrash(request, virtualTimeHost(), testNodes(), { point, log: { commits: 0, lives: 0 } }))).toEqual(seen(result));
    }
  });

  test('one for a time lets the other branches run to their end first', async () => {
    const workflow = parallel({ Start: start, Wait: { type: 'wait', parameters: { after: 100_000 } }, W2: { type: 'wait', parameters: { after: 70_000 } }, B: slow(100), B2: slow(10) },
      ['Start > Wait', 'Start > W2', 'Start > B', 'B > B2']);
    const host = virtualTimeHost();
    const waiting = await executeTest(workflow, {}, host);
    expect(waiting).toMatchObject({ status: 'Waiting', wait: { node: 'W2', until: 1_070_000 } });
    expect(orderOf(waiting)).toBe('Start#0 B#0 B2#0');
    const later = virtualTimeHost();
    later.clock = 1_070_000;
    expect(await executeTest(workflow, { resume: host.checkpoints }, { ...later, checkpoints: host.checkpoints, commit: host.commit })).toMatchObject({ status: 'Waiting', wait: { node: 'Wait', until: 1_100_000 } });
    later.clock = 1_100_000;
    expect(orderOf(await executeTest(workflow, { resume: host.checkpoints }, later))).toBe('Start#0 Wait#0 W2#0 B#0 B2#0');
  });

  test('one in a sub-workflow parks the other branches at their boundaries', async () => {
    const child = workflowOf({ In: { type: 'executeWorkflowTrigger' }, Wait: { type: 'wait', parameters: { on: 'form' } }, Out: pass }, ['In > Wait', 'Wait > Out'], { id: 'child', name: 'Child' });
    const workflow = parallel({ Start: start, Call: { type: 'call', parameters: { workflow: 'child' }, onError: 'Continue' }, B: slow(100), B2: slow(10) }, ['Start > Call', 'Start > B', 'B > B2']);
    const host = virtualTimeHost({ loadWorkflow: async () => callable(child) });
    expect(await executeTest(workflow, {}, host)).toMatchObject({ status: 'Waiting', wait: { node: 'Wait', on: 'form' } });
    const ended = await executeTest(workflow, { resume: host.checkpoints, resumeItems: [{ json: { filled: true } }] }, host);
    expect(orderOf(ended)).toBe('Start#0 Call#0 B#0 B2#0');
    expect(jsonOf(ended, 'Call')).toEqual([{ filled: true }]);
  });

  test('of a branch are given up when another one fails', async () => {
    const workflow = parallel({ Start: start, Wait: { type: 'wait', parameters: { on: 'webhook' } }, B: slow(100, { fails: true }) }, ['Start > Wait', 'Start > B']);
    const host = virtualTimeHost();
    expect(await executeTest(workflow, {}, host)).toMatchObject({ status: 'Failed', error: { node: 'B' } });
    expect(host.checkpoints).toEqual([]);
  });
});

test('handing back lets what runs come to its end, and commits it', async () => {
  const handBack = new AbortController();
  const reason = new WorkflowError('HandBack', 'the runner stops');
  const host = virtualTimeHost({ onNodeRun: ({ node }) => node === 'A' && handBack.abort(reason) });
  const double = new Double();
  const workflow = parallel({ Start: start, A: slow(10), A2: slow(10), B: slow(100), B2: slow(10) }, ['Start > A', 'A > A2', 'Start > B', 'B > B2']);
  await expect(executeTest(workflow, { handBack: handBack.signal }, host, testNodes(double))).rejects.toBe(reason);
  expect(host.checkpoints.flatMap(({ runs }) => runs.map(({ node }) => node))).toEqual(['A', 'B']);
  const ended = await executeTest(workflow, { resume: host.checkpoints }, virtualTimeHost(), testNodes(double));
  expect(orderOf(ended)).toBe('Start#0 A#0 A2#0 B#0 B2#0');
  expect(double.calls.map(({ node }) => node)).toEqual(['A', 'B', 'A2', 'B2']);
});

test('cancelling ends all branches at once', async () => {
  const cancel = new AbortController();
  const host = virtualTimeHost({ onNodeRun: ({ node }) => node === 'A' && cancel.abort() });
  const result = await executeTest(parallel({ Start: start, A: slow(10), A2: slow(10), B: { type: 'hang' } }, ['Start > A', 'A > A2', 'Start > B']), { signal: cancel.signal }, host);
  expect(result).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionCanceled' } });
});

test('a lost lease ends all branches and none goes on', async () => {
  const lost = new Error('somebody else owns the execution');
  const double = new Double();
  const host = virtualTimeHost({ commit: () => Promise.reject(lost) });
  const workflow = parallel({ Start: start, A: slow(10), A2: slow(10), B: slow(100), B2: slow(1) }, ['Start > A', 'A > A2', 'Start > B', 'B > B2']);
  await expect(executeTest(workflow, {}, host, testNodes(double))).rejects.toBe(lost);
  expect(double.calls.map(({ node }) => node)).toEqual(['A', 'B']);
});

test('the last run in the order of the workflow keeps its items whatever ran after it', async () => {
  const rows = Array.from({ length: 50 }, (_, n) => ({ text: 'x'.repeat(100), n }));
  const workflow = parallel({ Start: start, A: slow(100), Rows: { type: 'make', parameters: { rows } }, More: pass, B: { type: 'make', parameters: { rows } } }, ['Start > A', 'A > Rows', 'Rows > More', 'Start > B']);
  const result = await executeTest(workflow, { historyBytes: 2000 }, virtualTimeHost());
  expect(result.lastNode).toBe('B');
  expect(jsonOf(result, 'B')).toHaveLength(50);
  expect(result.runs.filter(({ droppedItems }) => droppedItems).map(({ node }) => node)).toContain('Rows');
});

describe('compensation', () => {
  const nodes = { Start: start, A: slow(10), A2: slow(100), B: slow(20), B2: slow(10, { fails: true }), NoA: slow(1), NoA2: slow(1), NoB: slow(1) };
  const wires = ['Start > A', 'A > A2', 'Start > B', 'B > B2', 'A ~> NoA', 'A2 ~> NoA2', 'B ~> NoB'];

  test('undoes what the branches did in reverse order, through a crash around any commit', async () => {
    const request: ExecuteRequest = { executionId: 'e1', workflow: parallel(nodes, wires), mode: ExecutionMode.Schedule, start: { node: 'Start', items: [{ json: {} }] } };
    const log = { commits: 0, lives: 0 };
    const result = await executeThroughCrash(request, virtualTimeHost({ sleep: quick }), testNodes(), { log });
    for (const point of [undefined, ...crashPoints(log.commits)]) {
      const double = new Double();
      const undone = await executeThroughCrash(request, virtualTimeHost({ sleep: quick }), testNodes(double), { point, log: { commits: 0, lives: 0 } });
      expect(undone).toMatchObject({ status: 'Failed', error: { node: 'B2' }, compensated: 2 });
      expect([...new Set(double.calls.map(({ node }) => node).filter((node) => node.startsWith('No')))]).toEqual(['NoB', 'NoA']);
    }
    expect(result.compensated).toBe(2);
  });
});

/** Sleeps in the order of their lengths without a clock: one that is long is still under way when the others have ended. */
function quick(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (ms < 100) setTimeout(resolve, ms);
  });
}
