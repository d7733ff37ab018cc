import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import type { WorkflowDefinition, WorkflowNode } from '../../runner/engine/workflow.ts';
import { until } from '../eventually.ts';
import { chain, startRunnerFixture, type RunnerFixture } from './runner-fixture.ts';

jest.setTimeout(120_000);

/** So that the work of a killed runner goes on soon. */
const SHORT = { MILLRACE_LEASE_MS: '5000', MILLRACE_EXECUTORS: '1' };

let world: RunnerFixture;
beforeAll(async () => { world = await startRunnerFixture(); }, 120_000);
afterEach(async () => world.killRunners());
afterAll(async () => world.stop());

const call = (name: string, path: string): WorkflowNode => ({ name, type: 'httpRequest', parameters: { method: 'POST', url: `${world.effects.url}${path}` } });

/** Books a flight and a hotel, then does what `last` says; each booking has a call that undoes it. */
function trip(name: string, last: WorkflowNode): WorkflowDefinition {
  const { nodes, connections, ...rest } = chain(name, [call('Flight', `/${name}/flight`), call('Hotel', `/${name}/hotel`), last]);
  const undo = (from: string, to: string): WorkflowDefinition['connections'][number] => ({ from, output: 0, to, input: 0, type: 'compensation' });
  return {
    ...rest,
    nodes: [...nodes, call('No flight', `/${name}/no-flight`), call('No hotel', `/${name}/no-hotel`)],
    connections: [...connections, undo('Flight', 'No flight'), undo('Hotel', 'No hotel')],
  };
}

const counts = (name: string): number[] => ['flight', 'hotel', 'no-hotel', 'no-flight'].map((path) => world.effects.requests(`/${name}/${path}`).length);
const keysOf = (path: string): number => new Set(world.effects.requests(path).map((headers) => headers['idempotency-key'])).size;

test('killed with -9 in the middle of undoing: another runner goes on exactly there, and the history tells', async () => {
  const stop: WorkflowNode = { name: 'Stop', type: 'stopAndError', parameters: { errorMessage: 'sold out' } };
  const workflow = await world.deploy(trip('crash', stop));
  world.effects.hold('/crash/no-flight');
  const first = await world.runner(SHORT);
  const id = await world.submit(workflow);
  await until(() => world.effects.requests('/crash/no-flight').length === 1);
  await first.kill();
  world.effects.release('/crash/no-flight');
  await world.runner(SHORT);
  expect(await world.ended(id)).toMatchObject({ status: 'Failed', error: { code: 'WorkflowStopped', node: 'Stop' }, lastNode: 'Stop', compensated: 2, attempts: 2 });
  expect(counts('crash')).toEqual([1, 1, 1, 2]);
  expect(keysOf('/crash/no-flight')).toBe(1);
  const detail = await world.store.executions.get(id);
  expect(detail?.nodes.map(({ node, compensation = false }) => [node, compensation])).toEqual(
    [['Start', false], ['Flight', false], ['Hotel', false], ['Stop', false], ['No hotel', true], ['No flight', true]]);
});

test('canceled while it runs and its runner killed: what it did is undone by another one', async () => {
  const workflow = await world.deploy(trip('cancel', call('Hangs', '/cancel/hangs')));
  world.effects.hold('/cancel/hangs');
  world.effects.hold('/cancel/no-hotel');
  const first = await world.runner(SHORT);
  const id = await world.submit(workflow);
  await until(() => world.effects.requests('/cancel/hangs').length === 1);
  await world.store.queue.cancel([id]);
  await until(() => world.effects.requests('/cancel/no-hotel').length === 1);
  await world.store.queue.cancel([id]);
  await first.kill();
  world.effects.release('/cancel/no-hotel');
  await world.runner(SHORT);
  expect(await world.ended(id)).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionCanceled' }, compensated: 2 });
  expect(counts('cancel')).toEqual([1, 1, 2, 1]);
  world.effects.release('/cancel/hangs');
});

const wait: WorkflowNode = { name: 'Approval', type: 'wait', parameters: { resume: 'webhook' } };

test('canceled while it waits, and its runner is gone: the next one undoes it', async () => {
  const workflow = await world.deploy(trip('waits', wait));
  const first = await world.runner(SHORT);
  const id = await world.submit(workflow);
  await until(async () => (await world.store.executions.get(id))?.status === 'Waiting');
  await first.kill();
  expect(await world.store.queue.cancel([id])).toEqual([id]);
  await world.runner(SHORT);
  expect(await world.ended(id)).toMatchObject({ status: 'Canceled', error: { code: 'ExecutionCanceled' }, compensated: 2 });
  expect(counts('waits')).toEqual([1, 1, 1, 1]);
});

test('a node that brings its executor down: what came before is undone in another one', async () => {
  await world.runner({ MILLRACE_STALL_MS: '1000', MILLRACE_EXECUTORS: '1' });
  const id = await world.submit(await world.deploy(trip('stall', { name: 'Endless', type: 'code', parameters: { jsCode: 'for (;;) {}' } })));
  expect(await world.ended(id)).toMatchObject({ status: 'Failed', error: { code: 'ExecutionStalled', node: 'Endless' }, compensated: 2 });
  expect(counts('stall')).toEqual([1, 1, 1, 1]);
});
