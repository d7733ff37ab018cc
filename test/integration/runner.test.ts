import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import type { WorkflowDefinition, WorkflowNode } from '../../runner/engine/workflow.ts';
import { until } from '../eventually.ts';
import { chain as chainOf, code, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';

jest.setTimeout(180_000);

let world: RunnerFixture;
beforeAll(async () => { world = await startRunnerFixture(); }, 180_000);
afterEach(async () => world.killRunners());
afterAll(async () => world.stop());

const chain = (name: string, ...nodes: WorkflowNode[]): WorkflowDefinition => chainOf(name, nodes);
const call = (name: string, path: string): WorkflowNode => ({ name, type: 'httpRequest', parameters: { method: 'POST', url: `${world.effects.url}${path}` } });

describe('a runner', () => {
  test('executes what is queued and keeps every node\'s items', async () => {
    await world.runner();
    const id = await world.submit(await world.deploy(chain('plain', code('Twice', 'return [{ json: { n: 1 } }, { json: { n: 2 } }];'))));
    expect(await world.ended(id)).toMatchObject({ status: 'Succeeded', lastNode: 'Twice', attempts: 1 });
    const runs = await world.store.executions.nodeRuns(id, { node: 'Twice' });
    expect(runs[0]?.outputs[0]?.map(({ json }) => json)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('killed with -9 while an effectful node is in flight: another one finishes, and no earlier effect happens twice', async () => {
    const workflow = await world.deploy(chain('takeover', call('First', '/takeover/first'), call('Second', '/takeover/second'), code('Last', 'return items;')));
    world.effects.hold('/takeover/second');
    const first = await world.runner();
    const id = await world.submit(workflow);
    await until(() => world.effects.requests('/takeover/second').length === 1);
    await first.kill();
    world.effects.release('/takeover/second');
    await world.runner();
    expect(await world.ended(id)).toMatchObject({ status: 'Succeeded', lastNode: 'Last', attempts: 2 });
    expect(world.effects.requests('/takeover/first')).toHaveLength(1);
    expect(world.effects.requests('/takeover/second')).toHaveLength(2);
  });

  test('told to stop while a claim is under way does what that brings, once', async () => {
    const workflow = await world.deploy(chain('late-claim', call('Once', '/late-claim')));
    const runner = await world.runner();
    const holder = new Client({ connectionString: world.url });
    await holder.connect();
    let stopped: Promise<number | null>;
    let id: string;
    try {
      await holder.query('BEGIN; LOCK TABLE millrace.runner IN SHARE MODE');
      id = await world.submit(workflow);
      const held = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%RECURSIVE pool AS%'`;
      await until(async () => (await holder.query(held)).rowCount === 1);
      stopped = runner.terminate();
      await until(() => runner.output().includes('Stopping'));
    } finally {
      await holder.end();
    }
    expect(await stopped).toBe(0);
    expect(await world.ended(id)).toMatchObject({ status: 'Succeeded', attempts: 1 });
    expect(world.effects.requests('/late-claim')).toHaveLength(1);
  });

  test('told to stop hands back what does not finish in its grace time, without counting a crash', async () => {
    const workflow = await world.deploy(chain('drain', call('Slow', '/drain/slow')));
    world.effects.hold('/drain/slow');
    const first = await world.runner({ MILLRACE_GRACE_MS: '200' });
    const id = await world.submit(workflow);
    await until(() => world.effects.requests('/drain/slow').length === 1);
    expect(await first.terminate()).toBe(0);
    world.effects.release('/drain/slow');
    await world.runner();
    expect(await world.ended(id)).toMatchObject({ status: 'Succeeded', crashes: 0 });
  });

  test('PostgreSQL is killed and comes back while work is under way: everything accepted finishes', async () => {
    const workflow = await world.deploy(chain('outage', call('Once', '/outage/once'), code('End', 'return items;')));
    await world.runner();
    const ids = await Promise.all(Array.from({ length: 50 }, () => world.submit(workflow)));
    await world.postgres.kill();
    await world.postgres.start();
    const ends = await Promise.all(ids.map(world.ended));
    expect(ends.map(({ status }) => status)).toEqual(ids.map(() => 'Succeeded'));
  });

  const bad = [
    { name: 'an endless loop in a Code node', source: 'for (;;) {}', code: 'ExecutionStalled' },
    { name: 'a heap that grows without end', source: 'const all = []; for (;;) all.push(new Array(1000).fill({ a: 1 }).map((x) => ({ ...x })));', code: /MemoryLimitExceeded|ExecutorCrashed/ },
    { name: 'array buffers without end', source: 'const all = []; for (let i = 0; i < 4000; i += 1) { all.push(new Uint8Array(4e6).fill(1)); await null; } return items;', code: /MemoryLimitExceeded|ExecutorCrashed/ },
  ];
  test.each(bad)('$name fails with a code and the node\'s name, and harms nobody', async ({ name, source, code: want }) => {
    await world.runner({ MILLRACE_STALL_MS: '1500', MILLRACE_EXECUTOR_MEMORY_MB: '256', MILLRACE_EXECUTORS: '1' });
    const slug = name.replaceAll(/\W+/g, '-').toLowerCase();
    const good = await world.deploy(chain(`good-${slug}`, call('Effect', `/${slug}`), code('End', 'return items;')));
    const [badId, ...goodIds] = [await world.submit(await world.deploy(chain(slug, code('Bad', source)))), ...(await Promise.all([world.submit(good), world.submit(good), world.submit(good)]))];
    expect((await world.ended(badId)).error).toMatchObject({ code: expect.stringMatching(want), node: 'Bad' });
    expect((await Promise.all(goodIds.map(world.ended))).map(({ status }) => status)).toEqual(['Succeeded', 'Succeeded', 'Succeeded']);
  });

  test('process.exit, require and the environment are out of reach of a Code node', async () => {
    await world.runner();
    const probe = 'return [{ json: { process: typeof process, global: typeof global, fetch: typeof fetch } }];';
    const id = await world.submit(await world.deploy(chain('reach', code('Probe', probe))));
    expect(await world.ended(id)).toMatchObject({ status: 'Succeeded' });
    const [run] = await world.store.executions.nodeRuns(id, { node: 'Probe' });
    expect(run?.outputs[0]?.[0]?.json).toMatchObject({ process: 'undefined', fetch: 'undefined' });
  });

  test('a canceled execution stops its running node and ends as Canceled', async () => {
    const workflow = await world.deploy(chain('cancel', call('Hangs', '/cancel/hangs')));
    world.effects.hold('/cancel/hangs');
    await world.runner();
    const id = await world.submit(workflow);
    await until(() => world.effects.requests('/cancel/hangs').length === 1);
    await world.store.queue.cancel([id]);
    expect(await world.ended(id)).toMatchObject({ status: 'Canceled' });
    world.effects.release('/cancel/hangs');
  });
});
