import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { full, runSeed } from '../../test/full.ts';
import type { ExecuteRequest } from './engine.ts';
import { execute } from './engine.ts';
import { ExecutionMode } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import { crashPoints, executeThroughCrash } from './testing/crash.ts';
import { Double, testNodes } from './testing/test-nodes.ts';
import { virtualTimeHost } from './testing/virtual-time.ts';
import type { Connection, WorkflowDefinition, WorkflowNode } from './workflow.ts';

const RUNS = full ? 10_000 : 300;
const CRASH_RUNS = full ? 2000 : 60;
const MAX_NODE_RUNS = 60;
const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];

const node = fc.record({
  type: fc.constantFrom('slow', 'slow', 'slow', 'slow', 'slow', 'pass', 'set', 'join', 'join', 'loop', 'make', 'fail'),
  position: fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 9 })),
  parameters: fc.record({
    fields: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('={{ $json.a }}', '={{ $runIndex }}', '={{ $json.b }}', 1, "={{ $('A').A }}", "={{ $('F').a }}", '={{ $static }}'), { maxKeys: 2 }),
    outputs: fc.constantFrom([[{ a: 1 }], [{ a: 2 }]], [[{ a: 1 }], []], [[{ a: 1 }, { a: 2 }]]),
    times: fc.nat(2), all: fc.boolean(),
  }, { requiredKeys: ['fields', 'times'] }),
  alwaysOutputData: fc.boolean(), disabled: fc.constantFrom(false, false, false, true),
});

/** Any wires for the first, only wires ahead for the second: loops and graphs without. */
function wiresOf(ahead: boolean): fc.Arbitrary<Connection[]> {
  const wire = fc.record({ from: fc.nat(names.length - 1), output: fc.constantFrom(0, 0, 0, 1), to: fc.nat(names.length - 1), input: fc.constantFrom(0, 0, 1) });
  return fc.array(wire, { minLength: 4, maxLength: 11 }).map((wires) => wires.flatMap(({ from, to, output, input }): Connection[] => {
    if (ahead && from === to) return [];
    const [first, second] = ahead && from > to ? [to, from] : [from, to];
    return [{ from: names[first] ?? '', to: names[second] ?? '', output, input, type: 'main' }];
  }));
}

const workflow: fc.Arbitrary<WorkflowDefinition> = fc.record({
  // A join in a loop would double its items with every pass.
  nodes: fc.tuple(...names.map((name) => node.map((made): WorkflowNode => ({ ...made, name, onError: 'Continue', executeOnce: made.type === 'join' })))),
  wires: fc.oneof(wiresOf(true), wiresOf(false)),
  starts: fc.subarray(names, { minLength: 3, maxLength: 6 }),
  compat: fc.constantFrom('millrace' as const, 'n8n-v2' as const),
}).map(({ nodes, wires, starts, compat }) => ({
  id: 'random', name: 'Random', compat, nodes: [{ name: 'Start', type: 'start' }, ...nodes],
  connections: [...starts.map((to): Connection => ({ from: 'Start', output: 0, to, input: 0, type: 'main' })), ...wires],
}));

const durations = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: names.length, maxLength: names.length });

function timed(definition: WorkflowDefinition, ms: readonly number[], parallelBranches: number): WorkflowDefinition {
  return {
    ...definition, settings: { parallelBranches },
    nodes: definition.nodes.map((each, index) => (each.type === 'slow' ? { ...each, parameters: { ms: ms[index] ?? 1 } } : each)),
  };
}

function requestOf(definition: WorkflowDefinition): ExecuteRequest {
  return { executionId: 'e1', workflow: definition, mode: ExecutionMode.Schedule, start: { node: 'Start', items: [{ json: { a: 0 } }] }, maxNodeRuns: MAX_NODE_RUNS };
}

/** All that a user sees but the times. */
function seen({ runs, ...rest }: ExecutionResult): unknown {
  return { ...rest, runs: runs.map((run) => ({ ...run, startedAt: 0, durationMs: 0 })) };
}

/** An endless loop is stopped somewhere: where, depends on what else ran. */
function isEndless({ error }: ExecutionResult): boolean {
  return error?.code === 'EndlessLoop';
}

function overlaps({ runs }: ExecutionResult): boolean {
  const spans = runs.filter(({ durationMs }) => durationMs > 0).map(({ startedAt, durationMs }) => [startedAt, startedAt + durationMs] as const);
  return spans.some(([begin, end], index) => spans.some(([otherBegin, otherEnd], other) => other !== index && otherBegin < end && begin < otherEnd));
}

test(`${RUNS} random workflows end the same with parallel branches as without`, async () => {
  let overlapping = 0;
  let endless = 0;
  await fc.assert(fc.asyncProperty(workflow, durations, fc.constantFrom(2, 4, 16), async (definition, ms, limit) => {
    const double = new Double();
    const sequential = await execute(requestOf(timed(definition, ms, 1)), virtualTimeHost(), testNodes(double));
    const parallelDouble = new Double();
    const parallel = await execute(requestOf(timed(definition, ms, limit)), virtualTimeHost(), testNodes(parallelDouble));
    expect(isEndless(parallel)).toBe(isEndless(sequential));
    if (isEndless(sequential)) {
      endless += 1;
      return;
    }
    expect(seen(parallel)).toEqual(seen(sequential));
    expect(parallelDouble.calls.map(({ key }) => key).toSorted()).toEqual(double.calls.map(({ key }) => key).toSorted());
    if (overlaps(parallel)) overlapping += 1;
  }), { numRuns: RUNS, seed: runSeed });
  console.log(`${RUNS} random workflows with MILLRACE_TEST_SEED=${runSeed}: nodes overlapped in ${overlapping}, ${endless} were endless`);
  expect(overlapping).toBeGreaterThan(RUNS / 10);
}, RUNS * 400);

test(`${CRASH_RUNS} random workflows end the same after a crash around any commit, whatever order the branches finish in afterwards`, async () => {
  let crashes = 0;
  await fc.assert(fc.asyncProperty(workflow, durations, durations, async (definition, ms, msAfter) => {
    const sequential = await execute(requestOf(timed(definition, ms, 1)), virtualTimeHost(), testNodes());
    if (isEndless(sequential)) return;
    const log = { commits: 0, lives: 0 };
    const plain = virtualTimeHost();
    await executeThroughCrash(requestOf(timed(definition, ms, 4)), plain, testNodes(), { log });
    for (const point of crashPoints(log.commits)) {
      crashes += 1;
      const double = new Double();
      const result = await executeThroughCrash(requestOf(timed(definition, ms, 4)), virtualTimeHost(), testNodes(double), { point, log: { commits: 0, lives: 0 } });
      expect(seen(result)).toEqual(seen(sequential));
      for (const { key } of double.calls) expect(double.timesOf(key)).toBeLessThanOrEqual(2);
    }
    for (let length = 0; length <= plain.checkpoints.length; length += 1) {
      const resumed = await execute({ ...requestOf(timed(definition, msAfter, 4)), resume: plain.checkpoints.slice(0, length) }, virtualTimeHost(), testNodes());
      expect(seen(resumed)).toEqual(seen(sequential));
    }
  }), { numRuns: CRASH_RUNS, seed: runSeed });
  console.log(`${CRASH_RUNS} random workflows with MILLRACE_TEST_SEED=${runSeed}: ${crashes} crashes`);
}, CRASH_RUNS * 4000);
