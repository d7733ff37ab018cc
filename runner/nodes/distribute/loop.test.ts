import { expect, test } from '@jest/globals';
import { assert, asyncProperty, boolean, integer, nat } from 'fast-check';
import type { ExecuteRequest } from '../../engine/engine.ts';
import type { NodeTypes } from '../../engine/graph.ts';
import type { EngineHost } from '../../engine/host.ts';
import type { ExecutionResult } from '../../engine/node-run.ts';
import { partitionResultOf } from '../../engine/partitions.ts';
import type { DistributePolicy, Part, PartitionBatch } from '../../engine/partitions.ts';
import { crashPoints, executeThroughCrash } from '../../engine/testing/crash.ts';
import { executeTest, jsonOf, orderOf } from '../../engine/testing/execute-test.ts';
import { testHost } from '../../engine/testing/test-host.ts';
import { Double, testNodes } from '../../engine/testing/test-nodes.ts';
import { workflowOf } from '../../engine/testing/test-workflow.ts';
import type { NodeSketch } from '../../engine/testing/test-workflow.ts';
import { validateWorkflow } from '../../engine/validate.ts';
import type { WorkflowDefinition } from '../../engine/workflow.ts';
import { respondToWebhookNode } from '../respond-to-webhook/index.ts';
import { splitInBatchesNode } from '../split-in-batches/index.ts';
import { byParts } from './distributed.ts';

const withLoop = (double = new Double()): NodeTypes => new Map([...testNodes(double), ['splitInBatches', byParts(splitInBatchesNode, 'Loop')], ['respondToWebhook', respondToWebhookNode]]);
const effect: NodeSketch = { type: 'effect', parameters: { value: '={{ $json.n }}' } };

interface LoopSketch {
  count?: number;
  batchSize?: number;
  distribute?: DistributePolicy;
  more?: Partial<NodeSketch>;
  body?: Record<string, NodeSketch>;
  wires?: string[];
}

/** `Rows > Loop > Body > Loop`, then `After`. */
function looping({ count = 7, batchSize = 1, distribute, more, body = { Body: effect }, wires = ['Loop.1 > Body', 'Body > Loop'] }: LoopSketch = {}): WorkflowDefinition {
  const rows = Array.from({ length: count }, (_, n) => ({ n, odd: n % 2 }));
  return workflowOf({
    Start: { type: 'start' }, Rows: { type: 'make', parameters: { rows } },
    Loop: { type: 'splitInBatches', typeVersion: 3, parameters: { batchSize }, ...(distribute && { distribute }), ...more }, ...body, After: { type: 'pass' },
  }, ['Start > Rows', 'Rows > Loop', 'Loop > After', ...wires]);
}

/** A queue whose parts are executed at once, as executions of their own. */
function queueOf(run: (batch: PartitionBatch, part: Part) => Promise<ExecutionResult>): { host: Partial<EngineHost>; results: ExecutionResult[] } {
  const results: ExecutionResult[] = [];
  let batch: PartitionBatch | undefined;
  const parts: Part[] = [];
  const state = { parts: 0, items: 0, failed: 0, isOver: true };
  return {
    results,
    host: {
      partitions: {
        look: async () => (results.length > 0 ? state : undefined),
        add: async (given, more) => { batch = given; parts.push(...more); },
        seal: async () => {
          for (const part of parts) if (batch) results.push(await run(batch, part));
          return state;
        },
        results: async () => results.map((result, position) => ({ position, result: partitionResultOf(result) })),
        join: () => Promise.reject(new Error('no files here')),
      },
    },
  };
}

const partOf = (batch: PartitionBatch, part: Part): Partial<ExecuteRequest> => ({
  executionId: part.id, mode: 'SubWorkflow', underError: batch.underError, start: { node: batch.start, items: 'items' in part ? part.items : [] }, partial: { only: batch.node },
});

test('each part loops over its own items, and what comes back is together in order, linked to what it was made from', async () => {
  const double = new Double();
  const workflow = looping({ batchSize: 2, distribute: { count: 3 } });
  const { host, results } = queueOf((batch, part) => executeTest(workflow, partOf(batch, part), testHost(), withLoop(double)));
  const whole = await executeTest(workflow, { mode: 'Api' }, testHost(host), withLoop());
  expect(results.map((result) => orderOf(result))).toEqual([...Array<string>(2).fill('Loop#0 Body#0 Loop#1 Body#1 Loop#2'), 'Loop#0 Body#0 Loop#1']);
  expect(double.calls.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(new Set(double.calls.map(({ key }) => key)).size).toBe(7);
  expect(orderOf(whole)).toBe('Start#0 Rows#0 Loop#0 After#0');
  expect(whole.runs.at(2)?.outputs[0]?.map(({ json, pairedItem }) => [json['value'], pairedItem])).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => [n, { item: n }]));
});

test('in turn it gives what the loop gives that is not distributed', async () => {
  await assert(asyncProperty(nat(20), integer({ min: 1, max: 5 }), integer({ min: 1, max: 8 }), boolean(), async (count, batchSize, size, byKey) => {
    const [alone, parts] = [new Double(), new Double()];
    const plain = await executeTest(looping({ count, batchSize }), {}, testHost(), withLoop(alone));
    const distributed = await executeTest(looping({ count, batchSize, distribute: byKey ? { key: '={{ $json.odd }}' } : { count: size } }), {}, testHost(), withLoop(parts));
    const values = (result: ExecutionResult): unknown[] => jsonOf(result, 'After').map((json) => (json as { value: unknown }).value);
    expect(distributed.status).toBe('Succeeded');
    expect(values(distributed)).toEqual(values(plain));
    expect(new Set(parts.calls.map(({ value }) => value))).toEqual(new Set(alone.calls.map(({ value }) => value)));
    expect(parts.calls).toHaveLength(count);
  }));
});

test('a loop in the body may be distributed once more', async () => {
  const inner: NodeSketch = { type: 'splitInBatches', typeVersion: 3, distribute: { count: 1 } };
  const workflow = looping({ batchSize: 4, distribute: { count: 4 }, body: { Inner: inner, Body: effect }, wires: ['Loop.1 > Inner', 'Inner.1 > Body', 'Body > Inner', 'Inner > Loop'] });
  const double = new Double();
  const result = await executeTest(workflow, {}, testHost(), withLoop(double));
  expect(jsonOf(result, 'After')).toMatchObject([0, 1, 2, 3, 4, 5, 6].map((value) => ({ value })));
  expect(new Set(double.calls.map(({ key }) => key)).size).toBe(7);
});

test('a branch of the body that leads nowhere runs, and is not what comes back', async () => {
  const workflow = looping({ count: 2, distribute: { count: 2 }, body: { Body: effect, Aside: effect }, wires: ['Loop.1 > Body', 'Loop.1 > Aside', 'Body > Loop'] });
  const double = new Double();
  const result = await executeTest(workflow, {}, testHost(), withLoop(double));
  expect(double.calls.filter(({ node }) => node === 'Aside')).toHaveLength(2);
  expect(jsonOf(result, 'After')).toMatchObject([{ value: 0 }, { value: 1 }]);
});

test('a part that fails in the body fails with what failed there', async () => {
  const workflow = looping({ count: 4, distribute: { count: 2, onFailure: 'Continue' }, body: { Body: { type: 'fail', parameters: { times: 1 } } } });
  expect(jsonOf(await executeTest(workflow, {}, testHost(), withLoop()), 'After')).toMatchObject([0, 1, 2, 3].map((n) => ({ n, error: 'failed on purpose' })));
});

test('a part that dies anywhere comes to the same end, its effects asked for by the same keys', async () => {
  const workflow = looping({ distribute: { count: 5 } });
  const request: ExecuteRequest = { executionId: 'p1', workflow, mode: 'SubWorkflow', start: { node: 'Loop', items: [0, 1, 2, 3, 4].map((n) => ({ json: { n } })) }, partial: { only: 'Loop' } };
  const whole = { commits: 0, lives: 0 };
  await executeThroughCrash(request, testHost(), withLoop(), { log: whole });
  expect(whole).toEqual({ commits: 4, lives: 1 });
  for (const point of crashPoints(whole.commits)) {
    const double = new Double();
    const log = { commits: 0, lives: 0 };
    const result = await executeThroughCrash(request, testHost(), withLoop(double), { point, log });
    expect(log.lives).toBe(2);
    expect(jsonOf(result, 'Loop')).toMatchObject([0, 1, 2, 3, 4].map((value) => ({ value })));
    expect(new Set(double.calls.map(({ key }) => key)).size).toBe(5);
  }
});

test.each<{ name: string; sketch: LoopSketch; want: string }>([
  { name: 'no way back', sketch: { wires: ['Loop.1 > Body'] }, want: 'no loop to distribute' },
  { name: 'an older version', sketch: { more: { typeVersion: 2 } }, want: 'typeVersion 3' },
  { name: 'items from elsewhere in its body', sketch: { wires: ['Loop.1 > Body', 'Body > Loop', 'Rows > Body'] }, want: "'Body' in its loop, which also gets items from 'Rows'" },
  { name: 'a body that goes on after it', sketch: { wires: ['Loop.1 > Body', 'Body > Loop', 'Body > After'] }, want: "'After' in its loop, which also gets items from 'Loop'" },
  { name: 'a look at what was before', sketch: { body: { Body: { type: 'effect', parameters: { value: "={{ $('Rows').first() }}" } } } }, want: "'Body' in its loop, which refers to 'Rows'" },
  { name: 'a look into its body', sketch: { body: { Body: effect, Late: { type: 'effect', parameters: { value: "={{ $('Body').first() }}" } } }, wires: ['Loop.1 > Body', 'Body > Loop', 'After > Late'] }, want: "'Body' in its loop, which 'Late' refers to" },
  { name: 'static data', sketch: { body: { Body: { type: 'set', parameters: { fields: { n: '={{ $static }}' } } } } }, want: 'static data' },
  { name: 'an answer to the caller', sketch: { body: { Body: { type: 'respondToWebhook' } } }, want: 'answers the caller' },
  { name: 'something that is undone', sketch: { body: { Body: effect, Undo: effect }, wires: ['Loop.1 > Body', 'Body > Loop', 'Body ~> Undo'] }, want: 'a branch that undoes it' },
  { name: 'executeOnce', sketch: { more: { executeOnce: true } }, want: 'executeOnce' },
])('a loop cannot be distributed that has $name', async ({ sketch, want }) => {
  const workflow = looping({ distribute: { count: 2 }, ...sketch });
  const wanted = { code: 'DistributeNotPossible', node: 'Loop', message: expect.stringContaining(want) };
  expect(validateWorkflow(workflow, withLoop(), () => undefined)).toContainEqual({ severity: 'warning', ...wanted });
  expect((await executeTest(workflow, {}, testHost(), withLoop())).error).toMatchObject(wanted);
});

test('a disabled node of the body may refer to anything', () => {
  const workflow = looping({ distribute: { count: 2 }, body: { Body: { type: 'effect', disabled: true, parameters: { value: "={{ $('Rows').first() }}" } } } });
  expect(validateWorkflow(workflow, withLoop(), () => undefined).filter(({ code }) => code === 'DistributeNotPossible')).toEqual([]);
});
