import { expect, test } from '@jest/globals';
import { executeThroughCrash } from './testing/crash.ts';
import { executeTest, jsonOf } from './testing/execute-test.ts';
import { testHost } from './testing/test-host.ts';
import { Double, testNodes } from './testing/test-nodes.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeSketch } from './testing/test-workflow.ts';
import type { ResultCache } from './node-cache.ts';
import { ExecutionMode } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import { validateWorkflow } from './validate.ts';
import type { WorkflowDefinition } from './workflow.ts';

function memory(): ResultCache & { entries: Map<string, { outputs: string; ttlMs: number }> } {
  const entries = new Map<string, { outputs: string; ttlMs: number }>();
  return { entries, read: async (key) => entries.get(key)?.outputs, write: ({ key, ...entry }) => void entries.set(key, entry) };
}

const cached = (more: Partial<NodeSketch> = {}): WorkflowDefinition => workflowOf(
  { Start: { type: 'start' }, Call: { type: 'effect', parameters: { value: '={{ $json.id }}' }, cache: { ttl: '5m' }, ...more } }, ['Start > Call'],
);

/** Executions one after the other, each with its trigger item, before one cache; says how often the node's effect took place. */
async function calls(runs: readonly { json?: object; workflow?: WorkflowDefinition; mode?: ExecutionMode }[]): Promise<{ calls: number; results: ExecutionResult[]; cache: ReturnType<typeof memory> }> {
  const double = new Double();
  const cache = memory();
  const results: ExecutionResult[] = [];
  for (const [index, { json = { id: 1 }, workflow = cached(), mode = ExecutionMode.Api }] of runs.entries()) {
    const start = { node: 'Start', items: [{ json: { ...json } }] };
    results.push(await executeTest(workflow, { executionId: `e${index}`, mode, start }, testHost({ cache }), testNodes(double)));
  }
  return { calls: double.calls.length, results, cache };
}

test('the same input gives the result of the earlier run, and the run says so', async () => {
  const { calls: count, results, cache } = await calls([{}, {}]);
  expect(count).toBe(1);
  const [first, second] = results;
  expect(first?.runs[1]).not.toHaveProperty('cached');
  expect(second?.runs[1]).toMatchObject({ node: 'Call', status: 'success', cached: true, outputs: first?.runs[1]?.outputs });
  expect([...cache.entries.values()]).toMatchObject([{ ttlMs: 300_000 }]);
});

const other = (more: Partial<WorkflowDefinition>): WorkflowDefinition => ({ ...cached(), ...more });
test.each([
  { name: 'other items', second: { json: { id: 2 } } },
  { name: 'items that the parameters do not show', second: { json: { id: 1, more: true } } },
  { name: 'a parameter that is written otherwise', second: { workflow: cached({ parameters: { value: '={{ $json.id  }}' } }) } },
  { name: 'another credential', second: { workflow: cached({ credentials: { api: { name: 'mine' } } }) } },
  { name: 'another workflow', second: { workflow: other({ id: 'other' }) } },
  { name: 'a manual execution', second: { mode: ExecutionMode.Manual } },
  { name: 'a node without the setting', second: { workflow: workflowOf({ Start: { type: 'start' }, Call: { type: 'effect' } }, ['Start > Call']) } },
])('$name: the node executes', async ({ second }) => {
  expect((await calls([{}, second])).calls).toBe(2);
});

test('a parameter that reads something else than the input is part of the key', async () => {
  const timed = cached({ parameters: { value: '={{ $random }}' } });
  expect((await calls([{ workflow: timed }])).cache.entries.size).toBe(1);
  const double = new Double();
  const cache = memory();
  for (const drawn of [0.1, 0.1, 0.2]) {
    await executeTest(timed, { mode: ExecutionMode.Api }, testHost({ cache, random: () => drawn }), testNodes(double));
  }
  expect(double.calls.map(({ value }) => value)).toEqual([0.1, 0.2]);
});

test('a key of one\'s own decides alone', async () => {
  const keyed = cached({ cache: { ttl: '5m', key: '={{ $json.customer }}' } });
  expect((await calls([{ json: { id: 1, customer: 'a' }, workflow: keyed }, { json: { id: 2, customer: 'a' }, workflow: keyed }, { json: { id: 2, customer: 'b' }, workflow: keyed }])).calls).toBe(2);
});

test('a key that cannot be told leaves the node as it would be without a cache', async () => {
  const broken = cached({ cache: { ttl: '5m', key: '={{ fail }}' } });
  const { calls: count, results, cache } = await calls([{ workflow: broken }, { workflow: broken }]);
  expect({ count, kept: cache.entries.size }).toEqual({ count: 2, kept: 0 });
  expect(results.map(({ status }) => status)).toEqual(['Succeeded', 'Succeeded']);
});

test.each([
  { name: 'a failure', execute: () => { throw new Error('no'); } },
  { name: 'an item that failed', execute: () => [[{ json: { error: 'no' }, error: { code: 'NodeFailed', message: 'no' } }]] },
  { name: 'a file', execute: () => [[{ json: {}, binary: { data: { id: 'f', mimeType: 'text/plain', size: 1, sha256: '00' } } }]] },
])('$name is never kept', async ({ execute }) => {
  const types = new Map(testNodes());
  const effect = types.get('effect');
  if (effect) types.set('effect', { ...effect, execute });
  const cache = memory();
  await executeTest(cached({ onError: 'Continue' }), { mode: ExecutionMode.Api }, testHost({ cache }), types);
  expect(cache.entries.size).toBe(0);
});

test('a result that was taken from the cache is the same after a crash, when the cache is gone', async () => {
  const double = new Double();
  const workflow = workflowOf(
    { Start: { type: 'start' }, Call: { type: 'effect', parameters: { value: '={{ $random }}' }, cache: { ttl: '5m', key: 'k' } }, After: { type: 'effect', parameters: { value: '={{ $json.value }}' } } },
    ['Start > Call', 'Call > After'],
  );
  const cache = memory();
  const request = (executionId: string) => ({ executionId, workflow, mode: ExecutionMode.Api, start: { node: 'Start', items: [{ json: {} }] } });
  await executeTest(workflow, request('warm'), testHost({ cache, random: () => 0.5 }), testNodes(double));
  const reads: ResultCache['read'][] = [cache.read, async () => undefined];
  const forgetful: ResultCache = { read: async (key) => reads.shift()?.(key), write: () => undefined };
  const point = { commit: 0, when: 'after' } as const;
  const result = await executeThroughCrash(request('crashed'), testHost({ cache: forgetful, random: () => 0.9 }), testNodes(double), { point, log: { commits: 0, lives: 0 } });
  expect(jsonOf(result, 'Call')).toMatchObject([{ value: 0.5 }]);
  expect(jsonOf(result, 'After')).toMatchObject([{ value: 0.5 }]);
});

test('a type whose results depend on more than its input is refused', () => {
  const workflow = workflowOf({ Start: { type: 'start' }, Node: { type: 'pass', cache: { ttl: '1m' } } }, ['Start > Node'], { active: true });
  expect(validateWorkflow(workflow, testNodes(), () => undefined)).toMatchObject([{ code: 'CacheNotPossible', severity: 'error', node: 'Node' }]);
});
