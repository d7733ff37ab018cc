import { describe, expect, test } from '@jest/globals';
import { execute } from './engine.ts';
import type { ExecuteRequest } from './engine.ts';
import { ExecutionMode } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import { crashPoints, executeThroughCrash } from './testing/crash.ts';
import type { CrashLog } from './testing/crash.ts';
import { callable, patientHost } from './testing/test-host.ts';
import type { TestHost } from './testing/test-host.ts';
import { Double, testNodes } from './testing/test-nodes.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';
import type { WorkflowDefinition } from './workflow.ts';

const start: NodeSketch = { type: 'start' };
const pass: NodeSketch = { type: 'pass' };
const effect = (value: string): NodeSketch => ({ type: 'effect', parameters: { value } });
const set = (fields: object): NodeSketch => ({ type: 'set', parameters: { fields } });

const child = workflowOf({ In: { type: 'executeWorkflowTrigger' }, C1: effect('={{ $json.r }}'), R: set({ r: '={{ $random }}' }), C2: effect('={{ $json.r }}') },
  ['In > C1', 'C1 > R', 'R > C2'], { id: 'child', name: 'Child' });

const cases: Record<string, WorkflowDefinition> = {
  'pure nodes with chance and clock between effects': workflowOf(
    { Start: start, R: set({ r: '={{ $random }}', t: '={{ $now }}' }), A: effect('={{ $json.r }}'), S: set({ r: '={{ $random }}' }), B: effect('={{ $json.r }}'), C: effect('={{ $json.value }}'), End: pass },
    ['Start > R', 'R > A', 'A > S', 'S > B', 'B > C', 'C > End']),
  'static data counted by pure nodes': workflowOf(
    { Start: start, N1: set({ n: '={{ $static }}' }), A: effect('={{ $json.n }}'), N2: set({ n: '={{ $static }}' }), B: effect('={{ $json.n }}'), N3: set({ n: '={{ $static }}' }) },
    ['Start > N1', 'N1 > A', 'A > N2', 'N2 > B', 'B > N3']),
  'a loop of effects': workflowOf(
    { Start: start, Loop: { type: 'loop', parameters: { times: 4 } }, Done: effect('={{ $json.value }}'), A: effect('={{ $runIndex }}') },
    ['Start > Loop', 'Loop.0 > Done', 'Loop.1 > A', 'A > Loop']),
  'effects that are retried and fail': workflowOf(
    { Start: start, A: effect('={{ $random }}'), F: { type: 'fail', onError: 'Continue', retry: { maxTries: 3 } }, B: effect('={{ $random }}'), X: { type: 'fail', parameters: { times: 1 } } },
    ['Start > A', 'A > F', 'F > B', 'B > X']),
  'effects in sub-workflows': workflowOf(
    { Start: start, A: effect('={{ $random }}'), Call: { type: 'call', parameters: { workflow: 'child' } }, Again: { type: 'call', parameters: { workflow: 'child' } }, B: effect('={{ $json.value }}') },
    ['Start > A', 'A > Call', 'Call > Again', 'Again > B']),
  'effects that are undone, those of a sub-workflow by itself': workflowOf(
    { Start: start, A: effect('={{ $random }}'), B: effect('={{ $json.value }}'), Call: { type: 'call', parameters: { workflow: 'failing' } }, NoA: effect('={{ $random }}'), NoA2: effect('={{ $json.value }}'), NoB: effect('={{ $json.value }}') },
    ['Start > A', 'A > B', 'B > Call', 'A ~> NoA', 'NoA > NoA2', 'B ~> NoB']),
  'variables that change meanwhile': workflowOf(
    { Start: start, A: effect('={{ $vars.v }}'), S: set({ v: '={{ $vars.v }}' }), B: effect('={{ $json.v }}') }, ['Start > A', 'A > S', 'S > B']),
};

const failing = workflowOf({ In: { type: 'executeWorkflowTrigger' }, C: effect('={{ $random }}'), Bad: { type: 'fail' }, NoC: effect('={{ $json.value }}') }, ['In > C', 'C > Bad', 'C ~> NoC'], { id: 'failing', name: 'Failing' });

/** What must be the same however often the execution died. */
function seen({ runs, status, error, staticData }: ExecutionResult): unknown {
  return { status, error, staticData, runs: runs.map((run) => ({ ...run, startedAt: 0, durationMs: 0 })) };
}

function setUp(workflow: WorkflowDefinition): { request: ExecuteRequest; host: TestHost; double: Double } {
  const host = patientHost({ loadWorkflow: async (id) => callable({ child, failing }[id]), staticData: { global: { count: 10 }, nodes: {} }, variables: { v: 'first' } });
  return { request: { executionId: 'e1', workflow, mode: ExecutionMode.Schedule, start: { node: 'Start', items: [{ json: {} }] } }, host, double: new Double() };
}

/** An effect's answer may differ when it is repeated; one that honours idempotency keys gives the first answer again. */
function idempotent(double: Double): ReturnType<typeof testNodes> {
  const answers = new Map<string, unknown>();
  const types = testNodes(double);
  const original = types.get('effect');
  if (!original) throw new Error('the test nodes have no effect');
  return new Map([...types, ['effect', {
    ...original,
    async execute(context) {
      const output = await original.execute(context);
      const key = context.idempotencyKey(0);
      if (!answers.has(key)) answers.set(key, output);
      return structuredClone(answers.get(key)) as typeof output;
    },
  }]]);
}

describe.each(Object.entries(cases))('%s', (_, workflow) => {
  test('a crash before or after any commit changes nothing', async () => {
    const plain = setUp(workflow);
    const nodes = idempotent(plain.double);
    const plainLog = { commits: 0, lives: 0 };
    const result = await executeThroughCrash(plain.request, plain.host, nodes, { log: plainLog });
    const effects = plain.double.calls.length;
    expect(plainLog.commits).toBeGreaterThan(0);
    for (const point of crashPoints(plainLog.commits)) {
      const { request, host, double } = setUp(workflow);
      const log: CrashLog = { commits: 0, lives: 0 };
      const crashed = await executeThroughCrash(request, host, idempotent(double), { point, log });
      expect(log.lives).toBe(2);
      const keys = new Set(double.calls.map(({ key }) => key));
      expect(keys.size).toBe(effects);
      // Only what had happened since the last durable commit happened again, under the same key.
      expect(double.calls.length - effects).toBe(log.lost && log.lost.runs.length > 0 ? 1 : 0);
      if (point.when === 'after') expect(seen(crashed)).toEqual(seen(result));
      expect(crashed.status).toBe(result.status);
    }
  });
});

test('what a replay reads is what was read before, not what could be read now', async () => {
  const workflow = cases['variables that change meanwhile'];
  if (!workflow) throw new Error('no such case');
  const { request, host, double } = setUp(workflow);
  const nodes = idempotent(double);
  const first = await execute(request, host, nodes);
  host.staticData.global['count'] = 99;
  const replayed = await execute({ ...request, resume: host.checkpoints }, { ...host, now: () => 0, variables: { v: 'second' } }, nodes);
  expect(seen(replayed)).toEqual(seen(first));
});

test.each([
  { name: 'no effect', nodes: { Start: start, A: pass, B: pass } },
  { name: 'one effect', nodes: { Start: start, A: effect('x'), B: pass } },
])('$name needs no commit before the end', async ({ nodes }) => {
  const { request, host } = setUp(workflowOf(nodes, ['Start > A', 'A > B']));
  await execute(request, host, testNodes());
  expect(host.checkpoints).toEqual([]);
});

test('a lost lease ends this life before the next effect, whatever the node that noticed made of it', async () => {
  const workflow = workflowOf({ Start: start, A: effect('a'), Call: { type: 'call', parameters: { workflow: 'child' }, onError: 'Continue' }, B: effect('b') }, ['Start > A', 'A > Call', 'Call > B']);
  const { request, host, double } = setUp(workflow);
  const lost = new Error('somebody else owns the execution');
  await expect(execute(request, { ...host, commit: () => Promise.reject(lost) }, testNodes(double))).rejects.toBe(lost);
  expect(double.calls.map(({ node }) => node)).toEqual(['A']);
});
