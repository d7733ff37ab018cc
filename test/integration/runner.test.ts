import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { WorkflowDefinition, WorkflowNode } from '../../runner/engine/workflow.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import { openStore, migrate, type Store } from '../../store/store.ts';
import { until } from '../eventually.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';
import { startEffectServer, type EffectServer } from '../doubles/effect-server.ts';
import { startRunner, type RunnerProcess } from './runner-process.ts';

jest.setTimeout(180_000);

let postgres: Postgres;
let url: string;
let store: Store;
let effects: EffectServer;
const runners: RunnerProcess[] = [];

beforeAll(async () => {
  [postgres, effects] = await Promise.all([startPostgres(), startEffectServer()]);
  url = await postgres.database();
  await migrate({ url, applicationName: 'test' });
  store = await openStore({ url, applicationName: 'test' });
});
afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.kill()));
});
afterAll(async () => {
  await store.close();
  await Promise.all([postgres.stop(), effects.close()]);
});

async function runner(env: Record<string, string> = {}): Promise<RunnerProcess> {
  const started = await startRunner(url, env);
  runners.push(started);
  return started;
}

/** Start → the given nodes, one after the other. */
function chain(name: string, ...nodes: WorkflowNode[]): WorkflowDefinition {
  const all = [{ name: 'Start', type: 'manualTrigger' }, ...nodes];
  return {
    id: `test/${name}`, name, nodes: all,
    connections: nodes.map((node, i) => ({ from: all[i]?.name ?? '', output: 0, to: node.name, input: 0, type: 'main' })),
  };
}
const code = (name: string, jsCode: string): WorkflowNode => ({ name, type: 'code', parameters: { jsCode } });
const call = (name: string, path: string): WorkflowNode => ({ name, type: 'httpRequest', parameters: { method: 'POST', url: `${effects.url}${path}` } });

async function deploy(definition: WorkflowDefinition): Promise<string> {
  const key = { namespace: 'test', workflow: definition.name, uid: `uid-${definition.name}` };
  const { revision } = await store.revisions.put({ ...key, definition });
  await store.routes.apply({ ...key, active: true, stable: revision, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [] });
  return definition.name;
}

async function submit(workflow: string, more: Partial<EnqueueRequest> = {}): Promise<string> {
  const [accepted] = await store.queue.enqueue([{ namespace: 'test', workflow, mode: 'Manual', trigger: { node: 'Start', items: [{ json: {} }] }, ...more }]);
  if (!accepted?.accepted) throw new Error(`not accepted: ${JSON.stringify(accepted)}`);
  return accepted.id;
}

async function ended(id: string) {
  return until(async () => {
    const execution = await store.executions.get(id);
    return execution && ['Succeeded', 'Failed', 'Canceled'].includes(execution.status) ? execution : undefined;
  }, { withinMs: 90_000 });
}

describe('a runner', () => {
  test('executes what is queued and keeps every node\'s items', async () => {
    await runner();
    const id = await submit(await deploy(chain('plain', code('Twice', 'return [{ json: { n: 1 } }, { json: { n: 2 } }];'))));
    expect(await ended(id)).toMatchObject({ status: 'Succeeded', lastNode: 'Twice', attempts: 1 });
    const runs = await store.executions.nodeRuns(id, { node: 'Twice' });
    expect(runs[0]?.outputs[0]?.map(({ json }) => json)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('killed with -9 while an effectful node is in flight: another one finishes, and no earlier effect happens twice', async () => {
    const workflow = await deploy(chain('takeover', call('First', '/takeover/first'), call('Second', '/takeover/second'), code('Last', 'return items;')));
    effects.hold('/takeover/second');
    const first = await runner();
    const id = await submit(workflow);
    await until(() => effects.requests('/takeover/second').length === 1);
    await first.kill();
    effects.release('/takeover/second');
    await runner();
    expect(await ended(id)).toMatchObject({ status: 'Succeeded', lastNode: 'Last', attempts: 2 });
    expect(effects.requests('/takeover/first')).toHaveLength(1);
    expect(effects.requests('/takeover/second')).toHaveLength(2);
  });

  test('told to stop hands back what does not finish in its grace time, without counting a crash', async () => {
    const workflow = await deploy(chain('drain', call('Slow', '/drain/slow')));
    effects.hold('/drain/slow');
    const first = await runner({ MILLRACE_GRACE_MS: '200' });
    const id = await submit(workflow);
    await until(() => effects.requests('/drain/slow').length === 1);
    expect(await first.terminate()).toBe(0);
    effects.release('/drain/slow');
    await runner();
    expect(await ended(id)).toMatchObject({ status: 'Succeeded', crashes: 0 });
  });

  test('PostgreSQL is killed and comes back while work is under way: everything accepted finishes', async () => {
    const workflow = await deploy(chain('outage', call('Once', '/outage/once'), code('End', 'return items;')));
    await runner();
    const ids = await Promise.all(Array.from({ length: 50 }, () => submit(workflow)));
    await postgres.kill();
    await postgres.start();
    const ends = await Promise.all(ids.map(ended));
    expect(ends.map(({ status }) => status)).toEqual(ids.map(() => 'Succeeded'));
  });

  const bad = [
    { name: 'an endless loop in a Code node', source: 'for (;;) {}', code: 'ExecutionStalled' },
    { name: 'a heap that grows without end', source: 'const all = []; for (;;) all.push(new Array(1000).fill({ a: 1 }).map((x) => ({ ...x })));', code: /MemoryLimitExceeded|ExecutorCrashed/ },
    { name: 'array buffers without end', source: 'const all = []; for (let i = 0; i < 4000; i += 1) { all.push(new Uint8Array(4e6).fill(1)); await null; } return items;', code: /MemoryLimitExceeded|ExecutorCrashed/ },
  ];
  test.each(bad)('$name fails with a code and the node\'s name, and harms nobody', async ({ name, source, code: want }) => {
    await runner({ MILLRACE_STALL_MS: '1500', MILLRACE_EXECUTOR_MEMORY_MB: '256', MILLRACE_EXECUTORS: '1' });
    const slug = name.replaceAll(/\W+/g, '-').toLowerCase();
    const good = await deploy(chain(`good-${slug}`, call('Effect', `/${slug}`), code('End', 'return items;')));
    const [badId, ...goodIds] = [await submit(await deploy(chain(slug, code('Bad', source)))), ...(await Promise.all([submit(good), submit(good), submit(good)]))];
    expect((await ended(badId)).error).toMatchObject({ code: expect.stringMatching(want), node: 'Bad' });
    expect((await Promise.all(goodIds.map(ended))).map(({ status }) => status)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  });

  test('process.exit, require and the environment are out of reach of a Code node', async () => {
    await runner();
    const probe = 'return [{ json: { process: typeof process, global: typeof global, fetch: typeof fetch } }];';
    const id = await submit(await deploy(chain('reach', code('Probe', probe))));
    expect(await ended(id)).toMatchObject({ status: 'Succeeded' });
    const [run] = await store.executions.nodeRuns(id, { node: 'Probe' });
    expect(run?.outputs[0]?.[0]?.json).toMatchObject({ process: 'undefined', fetch: 'undefined' });
  });

  test('a canceled execution stops its running node and ends as Canceled', async () => {
    const workflow = await deploy(chain('cancel', call('Hangs', '/cancel/hangs')));
    effects.hold('/cancel/hangs');
    await runner();
    const id = await submit(workflow);
    await until(() => effects.requests('/cancel/hangs').length === 1);
    await store.queue.cancel([id]);
    expect(await ended(id)).toMatchObject({ status: 'Canceled' });
    effects.release('/cancel/hangs');
  });
});
