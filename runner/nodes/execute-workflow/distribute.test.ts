import { expect, test } from '@jest/globals';
import type { EngineHost } from '../../engine/host.ts';
import type { Item } from '../../engine/item.ts';
import type { ExecutionResult } from '../../engine/node-run.ts';
import type { DistributePolicy, PartitionRequest, PartitionResult } from '../../engine/partitions.ts';
import { executeTest } from '../../engine/testing/execute-test.ts';
import { callable, testHost } from '../../engine/testing/test-host.ts';
import { testNodes } from '../../engine/testing/test-nodes.ts';
import { workflowOf } from '../../engine/testing/test-workflow.ts';
import { validateWorkflow } from '../../engine/validate.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { partsOf } from './distribute.ts';
import { executeWorkflowNode } from './index.ts';

const nodes = new Map([...testNodes(), ['executeWorkflow', executeWorkflowNode]]);
const child = workflowOf({ In: { type: 'executeWorkflowTrigger' }, Out: { type: 'set', parameters: { fields: { doubled: '={{ $json.n }}' } } } }, ['In > Out'], { id: 'child' });
const rows = Array.from({ length: 7 }, (_, n) => ({ n, of: n % 2 === 0 ? 'even' : 'odd' }));

function run(distribute: DistributePolicy, { host = {}, more = {}, resume }: { host?: Partial<EngineHost>; more?: Partial<WorkflowNode>; resume?: readonly never[] } = {}): Promise<ExecutionResult> {
  const workflow = workflowOf(
    { Start: { type: 'start' }, Rows: { type: 'make', parameters: { rows } }, Call: { type: 'executeWorkflow', parameters: { workflowId: 'child' }, distribute, ...more }, End: { type: 'pass' } },
    ['Start > Rows', 'Rows > Call', 'Call > End']);
  return executeTest(workflow, { mode: 'Api', ...(resume && { resume }) }, testHost({ loadWorkflow: async () => callable(child), ...host }), nodes);
}

function outputsOf({ runs }: ExecutionResult): (readonly Item[] | null)[] {
  return [...runs.find(({ node }) => node === 'Call')?.outputs ?? []];
}

/** A queue that works at once: fails the parts at these positions. */
function worker(failing: readonly number[] = [], seen: PartitionRequest[] = []): Partial<EngineHost> {
  return {
    runPartitions: async (request) => {
      seen.push(request);
      return request.parts.map(({ items }, position): PartitionResult =>
        (failing.includes(position) ? { error: { code: 'Broken', message: `part ${position} broke` } } : { outputs: [items.map(({ json }) => ({ json: { doubled: json['n'] } }))] }));
    },
  };
}

test.each<{ name: string; policy: DistributePolicy; want: number[][] }>([
  { name: 'count', policy: { count: 3 }, want: [[0, 1, 2], [3, 4, 5], [6]] },
  { name: 'a count of all', policy: { count: 100 }, want: [[0, 1, 2, 3, 4, 5, 6]] },
  { name: 'bytes', policy: { bytes: 400 }, want: [[0, 1], [2, 3], [4, 5], [6]] },
  { name: 'bytes, one item at least', policy: { bytes: 1 }, want: [[0], [1], [2], [3], [4], [5], [6]] },
  { name: 'key', policy: { key: '={{ $json.of }}' }, want: [[0, 2, 4, 6], [1, 3, 5]] },
])('parts by $name', ({ policy, want }) => {
  const items = rows.map((json) => ({ json }));
  expect(partsOf(items, policy, (_, index) => rows[index]?.of)).toEqual(want);
});

test('no items are no parts', () => expect(partsOf([], { count: 3 }, () => undefined)).toEqual([]));

test.each<{ name: string; policy: DistributePolicy }>([{ name: 'count', policy: { count: 2 } }, { name: 'key', policy: { key: '={{ $json.of }}' } }])('by $name: results come back in the order of the items, linked to them', async ({ policy }) => {
  for (const host of [worker(), {}]) {
    const [items] = outputsOf(await run(policy, { host }));
    expect(items).toEqual(rows.map(({ n }) => ({ json: { doubled: n }, pairedItem: { item: n } })));
  }
});

test('it waits for the parts without a result, and asks for the same ones again', async () => {
  const seen: PartitionRequest[] = [];
  const host = testHost({ loadWorkflow: async () => ({ definition: child, revision: 'r1' }), runPartitions: async (request) => void seen.push(request) });
  const workflow = workflowOf({ Start: { type: 'start' }, Call: { type: 'executeWorkflow', parameters: { workflowId: 'child' }, distribute: { count: 1, maxParallel: 3 } } }, ['Start > Call']);
  const waiting = await executeTest(workflow, {}, host, nodes);
  expect(waiting).toMatchObject({ status: 'Waiting', wait: { node: 'Call', on: 'partitions' } });
  const again = { ...host, loadWorkflow: async () => ({ definition: child, revision: 'r2' }) };
  const asked = await executeTest(workflow, { resume: host.checkpoints }, { ...again, runPartitions: async (request) => (seen.push(request), request.parts.map(({ items }) => ({ outputs: [items] }))) }, nodes);
  expect(asked.status).toBe('Succeeded');
  expect(seen[0]).toMatchObject({ workflow: 'child', start: 'In', node: 'Call', maxParallel: 3, maxFailures: 0, parts: [{ id: expect.stringMatching(/^[0-9a-f]{32}$/u) }] });
  expect(seen[1]?.parts.map(({ id }) => id)).toEqual(seen[0]?.parts.map(({ id }) => id));
});

test.each<{ name: string; policy: DistributePolicy; failing: number[]; want: object }>([
  { name: 'Fail: one is too many', policy: { count: 1 }, failing: [3], want: { status: 'Failed', error: { code: 'PartitionsFailed', message: expect.stringContaining('1 of 7 parts failed, and 0 may. The first is part 3: Broken: part 3 broke') } } },
  { name: 'Continue: all may fail', policy: { count: 1, onFailure: 'Continue' }, failing: [0, 1, 2, 3, 4, 5, 6], want: { status: 'Succeeded' } },
  { name: 'a number of them', policy: { count: 1, onFailure: 'Continue', maxFailures: 2 }, failing: [1, 2], want: { status: 'Succeeded' } },
  { name: 'one more than that', policy: { count: 1, onFailure: 'Continue', maxFailures: 2 }, failing: [1, 2, 3], want: { status: 'Failed' } },
  { name: 'a share of them', policy: { count: 1, onFailure: 'Continue', maxFailedPercent: 20 }, failing: [1], want: { status: 'Succeeded' } },
  { name: 'more than a share', policy: { count: 1, onFailure: 'Continue', maxFailedPercent: 20 }, failing: [1, 2], want: { status: 'Failed' } },
])('failures: $name', async ({ policy, failing, want }) => {
  expect(await run(policy, { host: worker(failing) })).toMatchObject(want);
});

test('items of failed parts carry the error, on the error output where there is one', async () => {
  const host = worker([1]);
  const [kept] = outputsOf(await run({ count: 3, onFailure: 'Continue' }, { host }));
  expect(kept?.map(({ json }) => json['error'] ?? json['doubled'])).toEqual([0, 1, 2, 'part 1 broke', 'part 1 broke', 'part 1 broke', 6]);
  const [regular, failed] = outputsOf(await run({ count: 3, onFailure: 'Continue' }, { host, more: { onError: 'ErrorOutput' } }));
  expect(regular?.map(({ json }) => json['doubled'])).toEqual([0, 1, 2, 6]);
  expect(failed?.map(({ json }) => json)).toEqual([3, 4, 5].map((n) => ({ ...rows[n], error: 'part 1 broke' })));
});

test('without a queue the parts run in turn, and no more once too many have failed', async () => {
  const bad = workflowOf({ In: { type: 'executeWorkflowTrigger' }, Bad: { type: 'fail' } }, ['In > Bad'], { id: 'child' });
  let ended = 0;
  const result = await run({ count: 2 }, { host: { loadWorkflow: async () => callable(bad), onChild: () => void (ended += 1) } });
  expect(result).toMatchObject({ status: 'Failed', error: { code: 'PartitionsFailed', message: expect.stringContaining('4 of 4 parts failed') } });
  expect(ended).toBe(1);
});

test.each<{ name: string; node: Partial<WorkflowNode>; want: string[] }>([
  { name: 'one way to divide', node: { distribute: { count: 1 } }, want: [] },
  { name: 'none', node: { distribute: {} }, want: ['DistributeNotPossible'] },
  { name: 'two', node: { distribute: { count: 1, key: '={{ $json.a }}' } }, want: ['DistributeNotPossible'] },
  { name: 'two limits', node: { distribute: { count: 1, maxFailures: 1, maxFailedPercent: 1 } }, want: ['DistributeNotPossible'] },
  { name: 'another type', node: { type: 'set', distribute: { count: 1 } }, want: ['DistributeNotPossible'] },
  { name: 'an inline workflow', node: { parameters: { source: 'parameter' }, distribute: { count: 1 } }, want: ['DistributeNotPossible'] },
  { name: 'a key that cannot be read', node: { distribute: { key: '={{ ' } }, want: ['ExpressionSyntax'] },
])('validation: $name', ({ node, want }) => {
  const workflow = workflowOf({ Start: { type: 'start' }, Call: { type: 'executeWorkflow', parameters: { workflowId: 'child' }, ...node } }, ['Start > Call']);
  expect(validateWorkflow(workflow, nodes, (template) => (template.includes('}}') ? undefined : 'the }} is missing')).map(({ code }) => code)).toEqual(want);
});
