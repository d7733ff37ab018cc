import { expect, test } from '@jest/globals';
import type { EngineHost } from '../../engine/host.ts';
import type { BinaryReference, Item } from '../../engine/item.ts';
import type { ExecutionResult } from '../../engine/node-run.ts';
import { itemsIn } from '../../engine/partitions.ts';
import type { BatchState, DistributePolicy, Part, PartitionBatch, PartitionHost, PartitionResult, PositionedResult } from '../../engine/partitions.ts';
import { executeTest } from '../../engine/testing/execute-test.ts';
import { callable, testHost } from '../../engine/testing/test-host.ts';
import { Double, testNodes } from '../../engine/testing/test-nodes.ts';
import { workflowOf } from '../../engine/testing/test-workflow.ts';
import { validateWorkflow } from '../../engine/validate.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { byParts } from './distributed.ts';
import { partsOf } from './parts.ts';
import { executeWorkflowNode } from '../execute-workflow/index.ts';

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
function worker(failing: readonly number[] = [], seen: Queue[] = []): Partial<EngineHost> {
  const queue = new Queue((part) => {
    if (failing.includes(part.position)) return { error: { code: 'Broken', message: `part ${part.position} broke` } };
    const items = 'items' in part ? part.items : [];
    return { outputs: [items.map(({ json }) => ({ json: { doubled: json['n'] } }))] };
  });
  seen.push(queue);
  return { partitions: queue };
}

/** Records parts, and has them done once they are sealed, or later. */
class Queue implements PartitionHost {
  batch: PartitionBatch | undefined;
  readonly parts = new Map<string, Part>();
  maxFailures: number | undefined;
  isOver = true;
  readonly #work: (part: Part) => PartitionResult;

  constructor(work: (part: Part) => PartitionResult) {
    this.#work = work;
  }

  async look(): Promise<BatchState | undefined> {
    const results = [...this.parts.values()].map(this.#work);
    const failed = results.filter((result) => 'error' in result).length;
    return this.maxFailures === undefined ? undefined : { parts: results.length, items: results.reduce((sum, result) => sum + itemsIn(result), 0), failed, isOver: this.isOver };
  }

  async add(batch: PartitionBatch, parts: readonly Part[]): Promise<void> {
    this.batch = batch;
    for (const part of parts) this.parts.set(part.id, part);
  }

  async seal(_: string, { parts, maxFailures }: { parts: number; maxFailures: number }): Promise<BatchState> {
    expect(parts).toBe(this.parts.size);
    this.maxFailures = maxFailures;
    return await this.look() ?? { parts: 0, items: 0, failed: 0, isOver: false };
  }

  async results(_: string, which: 'all' | 'failed'): Promise<readonly PositionedResult[]> {
    const all = [...this.parts.values()].map((part) => ({ position: part.position, result: this.#work(part) }));
    return which === 'all' ? all : all.filter(({ result }) => 'error' in result);
  }

  join(): Promise<BinaryReference> {
    return Promise.reject(new Error('no files here'));
  }
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

test('it waits for the parts without a result, and records them once', async () => {
  const queue = new Queue((part) => ({ outputs: ['items' in part ? part.items : []] }));
  queue.isOver = false;
  const host = testHost({ loadWorkflow: async () => ({ definition: child, revision: 'r1' }), partitions: queue });
  const workflow = workflowOf({ Start: { type: 'start' }, Call: { type: 'executeWorkflow', parameters: { workflowId: 'child' }, distribute: { count: 1, maxParallel: 3 } } }, ['Start > Call']);
  const waiting = await executeTest(workflow, {}, host, nodes);
  expect(waiting).toMatchObject({ status: 'Waiting', wait: { node: 'Call', on: 'partitions' } });
  expect(queue).toMatchObject({ batch: { workflow: 'child', revision: 'r1', start: 'In', node: 'Call', maxParallel: 3 }, maxFailures: 0 });
  expect([...queue.parts.values()]).toMatchObject([{ id: queue.batch?.id, position: 0, items: [{ json: {} }] }]);
  queue.isOver = true;
  queue.add = async () => { throw new Error('recorded again'); };
  const asked = await executeTest(workflow, { resume: host.checkpoints }, { ...host, loadWorkflow: async () => ({ definition: child, revision: 'r2' }) }, nodes);
  expect(asked.status).toBe('Succeeded');
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
  { name: 'a range', node: { distribute: { count: 1, from: { range: { to: 3 } } } }, want: [] },
  { name: 'a range and a key', node: { distribute: { key: '={{ $json.a }}', from: { range: { to: 3 } } } }, want: ['DistributeNotPossible'] },
  { name: 'a range and a file', node: { distribute: { count: 1, from: { range: { to: 3 }, file: 'data', format: 'lines' } } }, want: ['DistributeNotPossible'] },
  { name: 'a file without a format', node: { distribute: { count: 1, from: { file: 'data' } } }, want: ['DistributeNotPossible'] },
  { name: 'lines with a delimiter', node: { distribute: { count: 1, from: { file: 'data', format: 'lines', delimiter: ';' } } }, want: ['DistributeNotPossible'] },
  { name: 'fields that nobody could map', node: { parameters: { workflowId: 'child', workflowInputs: { value: { a: 1 } } }, distribute: { count: 1, from: { range: { to: 3 } } } }, want: ['DistributeNotPossible'] },
  { name: 'a range that cannot be read', node: { distribute: { count: 1, from: { range: { to: '={{ ' } } } }, want: ['ExpressionSyntax'] },
  { name: 'a key that cannot be read', node: { distribute: { key: '={{ ' } }, want: ['ExpressionSyntax'] },
])('validation: $name', ({ node, want }) => {
  const workflow = workflowOf({ Start: { type: 'start' }, Call: { type: 'executeWorkflow', parameters: { workflowId: 'child' }, ...node } }, ['Start > Call']);
  expect(validateWorkflow(workflow, nodes, (template) => (template.includes('}}') ? undefined : 'the }} is missing')).map(({ code }) => code)).toEqual(want);
});

/** A host with one file of these bytes, and what was put to it. */
function withFile(text: string, put: string[] = []): Partial<EngineHost> {
  const bytes = Buffer.from(text);
  return {
    binaries: {
      put: async (written, about) => (put.push(Buffer.from(written).toString('utf8')), { id: 'made', size: written.length, sha256: '', ...about }),
      get: async () => bytes,
      read: async (_, offset, length) => bytes.subarray(offset, offset + length),
    },
  };
}

function runFrom(distribute: DistributePolicy, host: Partial<EngineHost> = {}, more: Partial<WorkflowNode> = {}): Promise<ExecutionResult> {
  const indexed = workflowOf({ In: { type: 'executeWorkflowTrigger' }, Out: { type: 'set', parameters: { fields: { got: '={{ $json.index }}', line: '={{ $json.line }}' } } } }, ['In > Out'], { id: 'child' });
  const workflow = workflowOf({ Start: { type: 'start' }, Call: { type: 'executeWorkflow', parameters: { workflowId: 'child' }, distribute, ...more } }, ['Start > Call']);
  const file = { id: 'f', mimeType: 'text/plain', size: 11, sha256: '' };
  const start = { node: 'Start', items: [{ json: { to: 7 }, binary: { data: file } }] };
  return executeTest(workflow, { mode: 'Api', start }, testHost({ loadWorkflow: async () => callable(indexed), ...host }), nodes);
}

test('from a range: what is recorded are ranges', async () => {
  const seen: Queue[] = [];
  await runFrom({ from: { range: { from: 2, to: '={{ $json.to }}' } }, count: 2, collect: 'count' }, worker([], seen));
  expect([...seen[0]?.parts.values() ?? []]).toMatchObject([[2, 4], [4, 6], [6, 7]].map(([from, to], position) => ({ position, slice: { range: { from, to } } })));
  expect(seen[0]?.batch).toMatchObject({ collect: 'count' });
});

test('many parts are recorded in groups', async () => {
  const sizes: number[] = [];
  const queue = new Queue(() => ({ items: 1 }));
  const add = queue.add.bind(queue);
  queue.add = (batch, parts) => (sizes.push(parts.length), add(batch, parts));
  const [output] = outputsOf(await runFrom({ from: { range: { to: 1200 } }, count: 1, collect: 'count' }, { partitions: queue }));
  expect(sizes).toEqual([500, 500, 200]);
  expect(output).toMatchObject([{ json: { parts: 1200, items: 1200, failed: 0 } }]);
});

test.each<{ name: string; from: DistributePolicy['from']; collect?: DistributePolicy['collect']; want: object[] }>([
  { name: 'a range', from: { range: { to: 3 } }, want: [{ got: 0 }, { got: 1 }, { got: 2 }] },
  { name: 'an empty range', from: { range: { to: 0 } }, want: [] },
  { name: 'an empty range, counted', from: { range: { to: 0 } }, collect: 'count', want: [{ parts: 0, items: 0, failed: 0 }] },
  { name: 'lines', from: { file: 'data', format: 'lines' }, want: [{ line: 'a' }, { line: 'b c' }, { line: 'ü' }] },
  { name: 'lines, counted', from: { file: 'data', format: 'lines' }, collect: 'count', want: [{ parts: 2, items: 3, failed: 0 }] },
  { name: 'lines, for nothing', from: { file: 'data', format: 'lines' }, collect: 'none', want: [{ to: 7 }] },
])('without a queue, from $name', async ({ from, collect, want }) => {
  const result = await runFrom({ ...(from && { from }), count: 2, ...(collect && { collect }) }, withFile('a\nb c\r\n\nü\n'));
  expect(outputsOf(result)[0]?.map(({ json }) => JSON.parse(JSON.stringify(json)) as object)).toEqual(want);
});

test('collected as a file, items are its lines', async () => {
  const put: string[] = [];
  const [output] = outputsOf(await runFrom({ from: { range: { to: 3 } }, count: 2, collect: 'file' }, withFile('', put)));
  expect(put).toEqual(['{"got":0}\n{"got":1}\n{"got":2}\n']);
  expect(output).toMatchObject([{ json: { parts: 2, items: 3, failed: 0 }, binary: { data: { id: 'made', mimeType: 'application/x-ndjson', fileName: 'Call.ndjson' } } }]);
});

test.each<{ name: string; policy: DistributePolicy; more?: Partial<WorkflowNode>; want: object[][] }>([
  { name: 'one item for a part', policy: {}, want: [[{ part: 1, error: 'part 1 broke' }]] },
  { name: 'at the error output', policy: {}, more: { onError: 'ErrorOutput' }, want: [[], [{ to: 7, part: 1, error: 'part 1 broke' }]] },
  { name: 'a number', policy: { collect: 'count' }, want: [[{ parts: 2, items: 0, failed: 1 }]] },
  { name: 'a number, and at the error output', policy: { collect: 'count' }, more: { onError: 'ErrorOutput' }, want: [[{ parts: 2, items: 0, failed: 1 }], [{ to: 7, part: 1, error: 'part 1 broke' }]] },
])('failures of slices: $name', async ({ policy, more, want }) => {
  const result = await runFrom({ from: { range: { to: 4 } }, count: 2, onFailure: 'Continue', ...policy }, worker([1]), more);
  expect(outputsOf(result).map((items) => items?.map(({ json }) => json))).toEqual(want);
});

test.each<{ name: string; policy: DistributePolicy; want: object }>([
  { name: 'no number', policy: { from: { range: { to: '={{ $json.none }}' } } }, want: { code: 'ParameterInvalid', parameter: 'distribute.from.range.to' } },
  { name: 'too many parts', policy: { from: { range: { to: 10_001 } } }, want: { code: 'TooManyPartitions' } },
  { name: 'no such file', policy: { from: { file: 'other', format: 'csv' } }, want: { code: 'BinaryMissing' } },
])('refuses $name', async ({ policy, want }) => expect(await runFrom({ ...policy, count: 1 }, worker())).toMatchObject({ status: 'Failed', error: want }));

test.each([{ host: 'without a queue' }, { host: 'with one' }])('a node that is no call runs alone on each part: $host', async ({ host }) => {
  const double = new Double();
  const alone = new Map([...testNodes(double)].map(([type, node]) => [type, type === 'effect' ? byParts(node) : node]));
  const workflow = workflowOf(
    { Start: { type: 'start' }, Rows: { type: 'make', parameters: { rows } }, Do: { type: 'effect', distribute: { count: 3 } }, After: { type: 'pass' } },
    ['Start > Rows', 'Rows > Do', 'Do > After'], { settings: { errorWorkflow: 'none' } });
  const seen: Queue[] = [];
  const result = await executeTest(workflow, { mode: 'Api' }, testHost(host === 'with one' ? worker([], seen) : {}), alone);
  expect(result.status).toBe('Succeeded');
  expect(result.runs.at(-1)?.outputs[0]).toHaveLength(7);
  expect(double.calls).toHaveLength(host === 'with one' ? 0 : 7);
  if (host === 'with one') expect(seen[0]?.batch).toMatchObject({ start: 'Do', only: true, definition: workflow, underError: true });
});

test('a part that is one node does not distribute, follow wires or undo anything', async () => {
  const double = new Double();
  const alone = new Map([...testNodes(double)].map(([type, node]) => [type, type === 'effect' ? byParts(node) : node]));
  const workflow = workflowOf({ Start: { type: 'start' }, Do: { type: 'effect', distribute: { count: 1 } }, After: { type: 'pass' } }, ['Start > Do', 'Do > After']);
  const part = { mode: 'SubWorkflow', start: { node: 'Do', items: [{ json: {} }, { json: {} }] }, partial: { only: 'Do' } } as const;
  const result = await executeTest(workflow, part, testHost(), alone);
  expect(result).toMatchObject({ status: 'Succeeded', lastNode: 'Do', runs: [{ node: 'Do', outputs: [[{}, {}]] }] });
  expect(double.calls).toHaveLength(2);
});

test.each<{ name: string; node: Partial<WorkflowNode>; want: string }>([
  { name: 'another node\'s items', node: { parameters: { value: "={{ $('Start').first() }}" } }, want: "refers to 'Start'" },
  { name: 'any node\'s items', node: { parameters: { value: '={{ $node[$json.a] }}' } }, want: 'computed' },
  { name: 'static data', node: { parameters: { value: '={{ $getWorkflowStaticData("global") }}' } }, want: 'static data' },
  { name: 'executeOnce', node: { executeOnce: true }, want: 'executeOnce' },
])('a node that runs alone cannot have $name', async ({ node, want }) => {
  const alone = new Map([...testNodes()].map(([type, each]) => [type, type === 'effect' ? byParts(each) : each]));
  const workflow = workflowOf({ Start: { type: 'start' }, Do: { type: 'effect', distribute: { key: "={{ $('Start').first() }}" }, ...node } }, ['Start > Do']);
  const wanted = { code: 'DistributeNotPossible', node: 'Do', message: expect.stringContaining(want) };
  expect(validateWorkflow(workflow, alone, () => undefined)).toContainEqual({ severity: 'warning', ...wanted });
  expect((await executeTest(workflow, {}, testHost(), alone)).error).toMatchObject(wanted);
});
