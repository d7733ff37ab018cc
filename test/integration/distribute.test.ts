import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { DistributePolicy } from '../../runner/engine/partitions.ts';
import type { WorkflowDefinition, WorkflowNode } from '../../runner/engine/workflow.ts';
import type { Execution } from '../../store/executions.ts';
import { until } from '../eventually.ts';
import { chain, code, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';

jest.setTimeout(120_000);

let world: RunnerFixture;
beforeAll(async () => { world = await startRunnerFixture(); }, 180_000);
afterEach(async () => world.killRunners());
afterAll(async () => world.stop());

/** One effect per item, at `/NAME/N`; then the number, doubled. */
async function deployChild(name: string, last: WorkflowNode = code('Double', 'return $("Start").all().map(({ json: { n } }) => ({ json: { doubled: 2 * n } }));')): Promise<string> {
  const effect: WorkflowNode = { name: 'Effect', type: 'httpRequest', parameters: { method: 'POST', url: `=${world.effects.url}/${name}/{{ $json.n ?? $json.index }}` } };
  const definition = chain(name, [effect, last], { start: 'executeWorkflowTrigger' });
  const nodes = definition.nodes.map((node) => (node.name === 'Start' ? { ...node, parameters: { inputSource: 'passthrough' } } : node));
  return world.deploy({ ...definition, nodes });
}

async function deployParent(name: string, child: string, distribute: DistributePolicy, items = 10): Promise<string> {
  const rows = code('Rows', `return Array.from({ length: ${items} }, (_, n) => ({ json: { n, odd: n % 2 } }));`);
  return world.deploy(chain(name, [rows, { name: 'Call', type: 'executeWorkflow', parameters: { workflowId: child }, distribute }, code('After', 'return items;')]));
}

async function children(workflow: string): Promise<Execution[]> {
  return (await world.store.executions.list({ namespace: 'test', workflow, limit: 50 })).executions;
}

const doubled = (count: number): object[] => Array.from({ length: count }, (_, n) => ({ doubled: 2 * n }));

/** Rows that say what is still to be done. */
async function rowsLeft(): Promise<number> {
  const database = new Client({ connectionString: world.url });
  await database.connect();
  try {
    return (await database.query<{ left: number }>('SELECT count(*)::int AS left FROM millrace.partition')).rows[0]?.left ?? -1;
  } finally {
    await database.end();
  }
}

test('parts are executions of their own on any runner, so many at a time; the parent holds no slot, and gets the results in order', async () => {
  const child = await deployChild('resize');
  const parent = await deployParent('resize-all', child, { key: '={{ $json.n % 5 }}', maxParallel: 2 });
  await world.runner();
  await world.runner();
  world.effects.hold('/resize/1');
  const id = await world.submit(parent, { priority: 7 });
  await until(() => world.effects.requests('/resize/1').length === 1);
  expect((await world.store.executions.get(id))?.status).toBe('Waiting');
  const under = (await children(child)).filter(({ status }) => status === 'Running' || status === 'Queued');
  expect(under.length).toBeLessThanOrEqual(2);
  world.effects.release('/resize/1');
  expect((await world.ended(id)).status).toBe('Succeeded');
  expect(await world.jsonOf(id, 'Call')).toEqual(doubled(10));
  expect(await children(child)).toHaveLength(5);
  for (const each of await children(child)) expect(each).toMatchObject({ parent: id, mode: 'SubWorkflow', status: 'Succeeded', priority: 7 });
  await until(async () => (await rowsLeft()) === 0);
});

test('a runner that dies changes nothing: no part runs twice', async () => {
  const child = await deployChild('survive');
  const parent = await deployParent('survive-all', child, { count: 1, maxParallel: 3 });
  world.effects.hold('/survive/4');
  const first = await world.runner();
  const id = await world.submit(parent);
  await until(() => world.effects.requests('/survive/4').length === 1);
  await first.kill();
  world.effects.release('/survive/4');
  await world.runner();
  expect((await world.ended(id)).status).toBe('Succeeded');
  expect(await world.jsonOf(id, 'Call')).toEqual(doubled(10));
  expect(await children(child)).toHaveLength(10);
  for (let n = 0; n < 10; n += 1) expect(new Set(world.effects.requests(`/survive/${n}`).map((headers) => headers['idempotency-key'])).size).toBe(1);
});

test('too many failures start no more parts; fewer go on as items that failed', async () => {
  const failing = code('Double', 'return $("Start").all().map(({ json: { n } }) => { if (n % 4 === 3) throw new Error("no " + n); return { json: { doubled: 2 * n } }; });');
  const child = await deployChild('flaky', failing);
  await world.runner();
  const strict = await world.submit(await deployParent('strict', child, { count: 1, maxParallel: 1 }));
  expect(await world.ended(strict)).toMatchObject({ status: 'Failed', error: { code: 'PartitionsFailed', node: 'Call', message: expect.stringContaining('7 of 10 parts failed') } });
  expect(await children(child)).toHaveLength(4);
  const lenient = await world.submit(await deployParent('lenient', child, { count: 1, onFailure: 'Continue', maxFailedPercent: 20 }));
  expect((await world.ended(lenient)).status).toBe('Succeeded');
  const items = await world.jsonOf(lenient, 'Call');
  expect(items).toHaveLength(10);
  expect(items[3]).toMatchObject({ n: 3, error: expect.stringContaining('no 3') });
  expect(items[4]).toEqual({ doubled: 8 });
});

test.each([{ end: 'canceled' }, { end: 'over its time', timeoutMs: 6000 }])('a parent that is $end takes its parts with it', async ({ timeoutMs }) => {
  const name = timeoutMs === undefined ? 'canceled' : 'late';
  const child = await deployChild(name);
  const key = { namespace: 'test', workflow: await deployParent(`${name}-all`, child, { count: 1, maxParallel: 1 }, 3) };
  const { stable = '' } = await world.store.routes.get(key) ?? {};
  if (timeoutMs !== undefined) {
    await world.store.routes.apply({ ...key, uid: `uid-${key.workflow}`, active: true, stable, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [], timeoutMs });
  }
  world.effects.hold(`/${name}/0`);
  await world.runner();
  const id = await world.submit(key.workflow);
  await until(() => world.effects.requests(`/${name}/0`).length === 1);
  if (timeoutMs === undefined) expect(await world.store.queue.cancel([id])).toEqual([id]);
  expect((await world.ended(id)).status).toBe('Canceled');
  const parts = await world.allEnded(child, 1);
  expect(parts).toMatchObject([{ status: 'Canceled', parent: id }]);
  await until(async () => (await rowsLeft()) === 0);
});

/** The JSON of each line of the file that a node put out. */
async function linesOf(id: string, node: string): Promise<unknown[]> {
  const runs = await world.store.executions.nodeRuns(id, { node });
  const file = runs.at(-1)?.outputs[0]?.[0]?.binary?.['data'];
  if (!file) throw new Error(`no file at ${node}`);
  const text = Buffer.from(await world.store.binaries.get(file.id) ?? []).toString('utf8');
  expect(file.size).toBe(Buffer.byteLength(text));
  return text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as unknown);
}

test('parts of a range run on all runners, one of which dies; their lines are a file in the order of the parts', async () => {
  const child = await deployChild('squares', code('Square', 'return $("Start").all().map(({ json: { index } }) => ({ json: { index, square: index * index } }));'));
  const mapped: WorkflowNode = {
    name: 'Map', type: 'executeWorkflow', parameters: { workflowId: child },
    distribute: { from: { range: { from: 5, to: '={{ $json.total }}' } }, count: 4, maxParallel: 6, collect: 'file' },
  };
  const parent = await world.deploy(chain('squares-all', [code('Total', 'return [{ json: { total: 45 } }];'), mapped]));
  const runners = [await world.runner(), await world.runner()];
  for (const path of ['/squares/5', '/squares/20']) world.effects.hold(path);
  const id = await world.submit(parent);
  await until(() => ['/squares/5', '/squares/20'].every((path) => world.effects.requests(path).length === 1));
  await runners[0]?.kill();
  for (const path of ['/squares/5', '/squares/20']) world.effects.release(path);
  expect(await world.ended(id)).toMatchObject({ status: 'Succeeded' });
  expect(await world.jsonOf(id, 'Map')).toEqual([{ parts: 10, items: 40, failed: 0 }]);
  expect(await linesOf(id, 'Map')).toEqual(Array.from({ length: 40 }, (_, n) => ({ index: n + 5, square: (n + 5) ** 2 })));
  expect(await children(child)).toHaveLength(10);
  await until(async () => (await rowsLeft()) === 0);
});

test('parts of a file are rows of it; parts that fail are missing in the result, and told of', async () => {
  const child = await deployChild('rows', code('Upper', 'return $("Start").all().map(({ json }) => { if (json.name === "bad") throw new Error("no " + json.n); return { json: { ...json, name: json.name.toUpperCase() } }; });'));
  const rows = ['n;name', '0;"a\nü"', '1;b', '', '2;bad', '3;d', '4;"e""\r\n"'].join('\r\n');
  const file = { id: randomUUID(), size: Buffer.byteLength(rows), mimeType: 'text/csv', sha256: '' };
  await world.store.binaries.put({ executionId: randomUUID(), id: file.id, bytes: Buffer.from(rows) });
  const mapped: WorkflowNode = {
    name: 'Map', type: 'executeWorkflow', parameters: { workflowId: child }, onError: 'ErrorOutput',
    distribute: { from: { file: 'data', format: 'csv', delimiter: ';' }, count: 2, collect: 'file', onFailure: 'Continue', maxFailures: 1 },
  };
  const parent = await world.deploy(chain('rows-all', [mapped]));
  await world.runner();
  const id = await world.submit(parent, { trigger: { node: 'Start', items: [{ json: {}, binary: { data: file } }] } });
  expect((await world.ended(id)).status).toBe('Succeeded');
  expect(await world.jsonOf(id, 'Map')).toEqual([{ parts: 3, items: 3, failed: 1 }]);
  expect(await linesOf(id, 'Map')).toEqual([{ n: '0', name: 'A\nÜ' }, { n: '1', name: 'B' }, { n: '4', name: 'E"\r\n' }]);
  const [run] = await world.store.executions.nodeRuns(id, { node: 'Map' });
  expect(run?.outputs[1]).toMatchObject([{ json: { part: 1, error: expect.stringContaining('no 2') } }]);
});

test('a node that is no call runs alone on each part, past the limits that its workflow was let in by', async () => {
  const send: WorkflowNode = {
    name: 'Send', type: 'httpRequest', parameters: { method: 'POST', url: `=${world.effects.url}/alone/{{ $json.n }}` }, retry: { maxTries: 2, wait: '10ms' },
    distribute: { count: 2, maxParallel: 2 },
  };
  const key = { namespace: 'test', workflow: await world.deploy(chain('alone', [code('Rows', 'return [0, 1, 2, 3, 4].map((n) => ({ json: { n } }));'), send, code('After', 'return items;')])) };
  const { stable = '' } = await world.store.routes.get(key) ?? {};
  await world.store.routes.apply({
    ...key, uid: `uid-${key.workflow}`, active: true, stable, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [], limits: { concurrency: { max: 1, policy: 'Queue' } },
  });
  await world.runner();
  const id = await world.submit(key.workflow);
  expect((await world.ended(id)).status).toBe('Succeeded');
  expect(await world.jsonOf(id, 'After')).toHaveLength(5);
  for (let n = 0; n < 5; n += 1) expect(world.effects.requests(`/alone/${n}`)).toHaveLength(1);
  const parts = (await world.allEnded(key.workflow, 4)).filter(({ parent }) => parent === id);
  expect(parts).toHaveLength(3);
  for (const part of parts) expect(part).toMatchObject({ mode: 'SubWorkflow', status: 'Succeeded', counts: { succeeded: 1, failed: 0 } });
});

test('parts of a loop run on all runners, one of which dies: each pass once, and what came back in order', async () => {
  const { url } = world.effects;
  const definition: WorkflowDefinition = {
    id: 'test/loops', name: 'loops',
    nodes: [
      { name: 'Start', type: 'manualTrigger' }, code('Rows', 'return Array.from({ length: 12 }, (_, n) => ({ json: { n } }));'),
      { name: 'Loop', type: 'splitInBatches', typeVersion: 3, parameters: { batchSize: 2 }, distribute: { count: 4, maxParallel: 3 } },
      { name: 'Effect', type: 'httpRequest', parameters: { method: 'POST', url: `=${url}/loops/{{ $json.n }}` } },
      { name: 'Pause', type: 'wait', parameters: { resume: 'timeInterval', amount: 0.1, unit: 'seconds' } },
      code('Pass', 'return $("Loop").all().map(({ json: { n } }) => ({ json: { n, pass: $runIndex } }));'), code('After', 'return items;'),
    ],
    connections: [
      ['Start', 0, 'Rows'] as const, ['Rows', 0, 'Loop'] as const, ['Loop', 1, 'Effect'] as const, ['Effect', 0, 'Pause'] as const, ['Pause', 0, 'Pass'] as const, ['Pass', 0, 'Loop'] as const, ['Loop', 0, 'After'] as const,
    ].map(([from, output, to]) => ({ from, output, to, input: 0, type: 'main' })),
  };
  await world.deploy(definition);
  const runners = [await world.runner(), await world.runner()];
  for (const path of ['/loops/2', '/loops/7']) world.effects.hold(path);
  const id = await world.submit('loops');
  await until(() => ['/loops/2', '/loops/7'].every((path) => world.effects.requests(path).length === 1));
  await runners[0]?.kill();
  for (const path of ['/loops/2', '/loops/7']) world.effects.release(path);
  expect(await world.ended(id)).toMatchObject({ status: 'Succeeded' });
  expect(await world.jsonOf(id, 'After')).toEqual(Array.from({ length: 12 }, (_, n) => ({ n, pass: Math.floor((n % 4) / 2) })));
  for (let n = 0; n < 12; n += 1) expect(new Set(world.effects.requests(`/loops/${n}`).map((headers) => headers['idempotency-key'])).size).toBe(1);
  const parts = (await children('loops')).filter(({ parent }) => parent === id);
  expect(parts).toHaveLength(3);
  for (const part of parts) expect(part).toMatchObject({ mode: 'SubWorkflow', status: 'Succeeded' });
  await until(async () => (await rowsLeft()) === 0);
});
