import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Client as Postgres } from 'pg';
import type { WorkflowSpec } from '../../crds/workflow.ts';
import type { Workflow } from '../../operator/controllers/resources.ts';
import { definitionOf } from '../../operator/controllers/workflow/definition.ts';
import { revisionCopy } from '../../operator/controllers/workflow/history.ts';
import { routeOf } from '../../operator/controllers/workflow/route.ts';
import { webhookTriggers } from '../../operator/controllers/workflow/webhook-triggers.ts';
import { ControllerRevision } from '../../operator/kube/builtin.ts';
import type { Draft } from '../../operator/kube/index.ts';
import { client, keyOf } from '../../operator/kube/index.ts';
import { FIELD_MANAGER } from '../../operator/operator.ts';
import { revisionOf } from '../../store/revisions.ts';
import type { Live, RunningOperator, World } from './controllers-setup.ts';
import { condition, eventually, fakeRunner, get, isReady, isStalled, startWorld, until } from './controllers-setup.ts';

// The machine may be busy; the world is asked often, so nothing is slower for it.
jest.setTimeout(180_000);

let world: World;
let operator: RunningOperator;
beforeAll(async () => {
  world = await startWorld();
  operator = await world.startOperator();
}, 240_000);
afterAll(() => world.stop());

const start = { name: 'Start', type: 'manualTrigger' };
const hook = (path: string) => ({ name: 'Hook', type: 'webhook', parameters: { httpMethod: 'POST', path } });
const workflow = (name: string, spec: WorkflowSpec, metadata: object = {}) => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: 'shop', ...metadata }, spec,
});
const route = (name: string) => world.store.routes.get({ namespace: 'shop', workflow: name });

describe('a Workflow', () => {
  test('that is applied is Ready, with its revision and its route in the store', async () => {
    await world.plane.apply(workflow('orders', { active: true, nodes: [hook('orders')], settings: { priority: 7, timeout: '5m' } }));
    const { status } = await eventually(world, ['mwf', 'orders'], isReady);
    expect(status).toMatchObject({ nodes: 1, webhooks: [{ node: 'Hook', method: 'POST', path: '/webhook/shop/orders' }] });
    const revision = status?.revision ?? '';
    expect(await world.store.revisions.get(revision)).toMatchObject({ id: 'shop/orders', nodes: [{ name: 'Hook' }] });
    expect(await route('orders')).toMatchObject({ stable: revision, active: true, priority: 7, timeoutMs: 300_000, triggers: [{ method: 'POST', path: 'orders' }] });
    expect(await world.plane.kubectl('wait', '--for=condition=Ready', 'mwf/orders', '-n', 'shop', '--timeout=5s')).toContain('condition met');
  });

  test('that changes is a new revision, with a copy of each in the cluster up to the limit', async () => {
    for (const displayName of ['one', 'two', 'three']) {
      await world.plane.apply(workflow('kept', { active: true, displayName, nodes: [start], revisionHistoryLimit: 1 }));
      await eventually(world, ['mwf', 'kept'], isReady);
    }
    const { status } = await get(world, 'mwf', 'kept');
    const list = await until(async () => {
      const text = await world.plane.kubectl('get', 'controllerrevisions', '-n', 'shop', '-l', 'millrace.dev/workflow=kept', '-o', 'json');
      const { items } = JSON.parse(text);
      return items.length === 2 ? items : undefined;
    });
    expect(list.map(({ revision, data }: { revision: number; data: { name: string } }) => [revision, data.name]).sort()).toEqual([[2, 'two'], [3, 'three']]);
    expect(list.map(({ metadata }: { metadata: { annotations: Record<string, string> } }) => metadata.annotations['millrace.dev/revision'])).toContain(status?.revision);
  });

  test('that is a draft may be unfinished, is Ready and starts nothing', async () => {
    await world.plane.apply(workflow('draft', { nodes: [hook('draft'), { name: 'Next', type: 'htpRequest' }] }));
    const draft = await eventually(world, ['mwf', 'draft'], isReady);
    expect(condition(draft, 'Valid')).toMatchObject({ status: 'False', reason: 'Unfinished', message: expect.stringContaining('UnknownNodeType') });
    expect(draft.status?.webhooks).toBeUndefined();
    expect(await route('draft')).toMatchObject({ active: false });
  });

  test('that is broken is Stalled and says why, and what was published before stays', async () => {
    await world.plane.apply(workflow('broken', { active: true, nodes: [hook('broken')] }));
    await eventually(world, ['mwf', 'broken'], isReady);
    const before = await route('broken');
    await world.plane.apply(workflow('broken', { active: true, nodes: [hook('broken'), { name: 'Next', type: 'stt' }] }));
    const stalled = await eventually(world, ['mwf', 'broken'], isStalled);
    expect(condition(stalled, 'Ready')?.message).toBe("node 'Next': There is no node type 'stt'. Did you mean 'set'? (UnknownNodeType); what was published before goes on being executed");
    expect(await route('broken')).toEqual(before);

    await world.plane.apply(workflow('broken', { active: false, nodes: [hook('broken'), { name: 'Next', type: 'set', parameters: { a: '={{ $json. }}' } }] }));
    await until(async () => ((await route('broken'))?.active === false ? true : undefined));
    expect(condition(await eventually(world, ['mwf', 'broken'], isStalled), 'Stalled')?.message).toContain('ExpressionSyntax');
  });

  test('that wants a path which is taken is Stalled, names the owner, and gets it when the owner goes', async () => {
    await world.plane.apply(workflow('first', { active: true, nodes: [hook('mine/:id')] }));
    await eventually(world, ['mwf', 'first'], isReady);
    await world.plane.apply(workflow('second', { active: true, nodes: [hook('mine/:other')] }));
    const loser = await eventually(world, ['mwf', 'second'], isStalled);
    expect(condition(loser, 'Ready')).toMatchObject({
      reason: 'WebhookPathTaken', message: 'POST /webhook/shop/mine/:other is taken by Workflow first: choose another path, or deactivate that workflow',
    });
    await world.plane.apply(workflow('first', { active: false, nodes: [hook('mine/:id')] }));
    await eventually(world, ['mwf', 'second'], isReady);
  });

  test('that is suspended is left as it is published', async () => {
    await world.plane.apply(workflow('asleep', { active: true, displayName: 'before', nodes: [start] }));
    const { status } = await eventually(world, ['mwf', 'asleep'], isReady);
    await world.plane.apply(workflow('asleep', { active: true, displayName: 'after', suspend: true, nodes: [start] }));
    const asleep = await eventually(world, ['mwf', 'asleep'], (object) => condition(object, 'Suspended')?.status === 'True');
    expect(asleep.status?.revision).toBe(status?.revision);
  });

  test('that somebody wants to be looked at echoes the request', async () => {
    await world.plane.apply(workflow('asked', { nodes: [start] }));
    for (const annotation of ['millrace.dev/reconcile-requested-at', 'reconcile.fluxcd.io/requestedAt']) {
      const value = new Date().toISOString();
      await world.plane.kubectl('annotate', 'mwf', 'asked', '-n', 'shop', '--overwrite', `${annotation}=${value}`);
      expect((await eventually(world, ['mwf', 'asked'], ({ status }) => status?.lastHandledReconcileAt === value)).metadata.annotations).toMatchObject({ [annotation]: value });
    }
  });

  test('that is deleted waits for what runs, and takes its route with it', async () => {
    await world.plane.apply(workflow('gone', { active: true, nodes: [start] }));
    await eventually(world, ['mwf', 'gone'], isReady);
    await world.store.queue.enqueue([{ namespace: 'shop', workflow: 'gone', mode: 'Manual', trigger: { items: [] }, pool: 'slow' }]);
    const { claims } = await world.store.queue.claim({ pool: 'slow', runner: 'r/1', limit: 1 });
    await world.store.queue.renew({ runner: 'r/1', leases: claims });
    await world.plane.kubectl('delete', 'mwf', 'gone', '-n', 'shop', '--wait=false');
    await eventually(world, ['mwf', 'gone'], (object) => condition(object, 'Ready')?.reason === 'ExecutionsRunning');
    expect(await route('gone')).toBeUndefined();
    await world.store.queue.finish(claims.map(({ executionId, fence, save }) => ({ executionId, fence, save, result: { status: 'Succeeded', runs: [] } })));
    await until(async () => ((await world.plane.kubectl('get', 'mwf', '-n', 'shop', 'gone', '--ignore-not-found')) === '' ? true : undefined));
  });

  test('whose finalizer somebody removed leaves no route behind', async () => {
    await world.plane.apply(workflow('forced', { active: true, nodes: [start] }));
    await eventually(world, ['mwf', 'forced'], isReady);
    await world.plane.kubectl('delete', 'mwf', 'forced', '-n', 'shop', '--wait=false');
    await world.plane.kubectl('patch', 'mwf', 'forced', '-n', 'shop', '--type=merge', '-p', '{"metadata":{"finalizers":null}}').catch(() => undefined);
    expect(await until(async () => ((await route('forced')) === undefined ? true : undefined))).toBe(true);
  });
});

describe('a change of a Workflow', () => {
  const version = (name: string, displayName: string) => workflow(name, { active: true, displayName, nodes: [hook(name)] });
  const copies = () => client(world.cluster, ControllerRevision, { fieldManager: FIELD_MANAGER });
  const numbers = async (name: string) => {
    const { items } = await copies().list({ namespace: 'shop', labelSelector: `millrace.dev/workflow=${name}` });
    return items.map(({ revision, data }) => `${revision} ${String((data as { name?: unknown }).name)}`).sort();
  };
  /** What the operator makes of a Workflow: its revision, its route and its copy. */
  function made(live: Live, number: number) {
    const object = live as unknown as Workflow;
    const definition = definitionOf(object);
    const revision = revisionOf(definition);
    return { definition, route: routeOf(object, revision, webhookTriggers(definition).triggers), copy: revisionCopy(object, { revision, number, definition }) };
  }
  const blocked = async (work: () => Promise<void>): Promise<void> => {
    const blocker = new Postgres({ connectionString: world.databaseUrl });
    await blocker.connect();
    try {
      await blocker.query("SELECT pg_advisory_lock(727274002, hashtext('shop'))");
      await work();
    } finally {
      await blocker.end();
    }
  };

  test('is Ready only when revision and route are stored, though its copy may be there before', async () => {
    await world.plane.apply(version('slow', 'one'));
    const before = await eventually(world, ['mwf', 'slow'], isReady);
    await blocked(async () => {
      await world.plane.apply(version('slow', 'two'));
      await until(async () => ((await numbers('slow')).length === 2 ? true : undefined));
      const { metadata, status } = await get(world, 'mwf', 'slow');
      expect([status?.revision, (status?.observedGeneration ?? 0) < (metadata.generation ?? 0)]).toEqual([before.status?.revision, true]);
      expect(await route('slow')).toMatchObject({ stable: before.status?.revision });
    });
    const after = await eventually(world, ['mwf', 'slow'], isReady);
    expect(await route('slow')).toMatchObject({ stable: after.status?.revision });
    expect(await numbers('slow')).toEqual(['1 one', '2 two']);
  });

  test('whose copy cannot be made says so until it can, and is executed meanwhile', async () => {
    await world.plane.apply(version('uncopied', 'one'));
    await eventually(world, ['mwf', 'uncopied'], isReady);
    let stranger: Draft<ControllerRevision> | undefined;
    await blocked(async () => {
      await world.plane.apply(version('uncopied', 'two'));
      // Whichever comes first: the copy of the operator is taken away, and that of somebody else keeps its name.
      const { copy } = made(await get(world, 'mwf', 'uncopied'), 2);
      const key = keyOf(copy);
      await until(async () => copies().get(key));
      stranger = { metadata: { name: copy.metadata.name, namespace: 'shop' }, revision: 1, data: { not: 'ours' } };
      await copies().delete(key);
      await copies().create(stranger);
    });
    const failed = await eventually(world, ['mwf', 'uncopied'], (object) => condition(object, 'Ready')?.status === 'False');
    expect(condition(failed, 'Ready')?.reason).toBe('Invalid');
    expect(await route('uncopied')).toMatchObject({ stable: made(failed, 2).route.stable });
    if (stranger) await copies().delete(keyOf(stranger));
    await eventually(world, ['mwf', 'uncopied'], isReady);
    expect(await numbers('uncopied')).toEqual(['1 one', '2 two']);
  });

  const states = [
    { name: 'copied', copied: true, stored: false },
    { name: 'stored', copied: false, stored: true },
    { name: 'both', copied: true, stored: true },
    { name: 'neither', copied: false, stored: false },
    { name: 'taken-back', copied: true, stored: false, back: true },
  ];
  test('that broke off with the operator is completed by the next one, whatever had been done of it', async () => {
    for (const { name } of states) await world.plane.apply(version(`off-${name}`, 'one'));
    for (const { name } of states) await eventually(world, ['mwf', `off-${name}`], isReady);
    await operator.stop();
    for (const { name, copied, stored, back } of states) {
      await world.plane.apply(version(`off-${name}`, 'two'));
      const second = made(await get(world, 'mwf', `off-${name}`), 2);
      if (copied) await copies().apply(second.copy);
      if (stored) await world.store.routes.apply(second.route, second.definition);
      if (back) await world.plane.apply(version(`off-${name}`, 'one'));
    }
    operator = await world.startOperator();
    for (const { name, back } of states) {
      const live = await eventually(world, ['mwf', `off-${name}`], isReady);
      const { stable } = made(live, 0).route;
      expect([name, live.status?.revision, (await route(`off-${name}`))?.stable]).toEqual([name, stable, stable]);
      expect(await world.store.revisions.get(stable)).toMatchObject({ name: back ? 'one' : 'two' });
      await until(async () => {
        const found = await numbers(`off-${name}`);
        return found.join() === (back ? '2 two,3 one' : '1 one,2 two') ? true : undefined;
      });
    }
  });
});

describe('a WorkflowRun', () => {
  const run = (name: string, spec: object = {}) => ({ apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name, namespace: 'shop' }, spec: { workflowRef: { name: 'runnable' }, ...spec } });
  const executions = async () => (await world.store.executions.list({ namespace: 'shop', workflow: 'runnable' })).executions;

  beforeAll(async () => {
    await world.plane.apply(workflow('runnable', { active: true, nodes: [start, { name: 'Keep', type: 'noOp' }] }));
    await eventually(world, ['mwf', 'runnable'], isReady);
  });

  test('succeeds with its execution', async () => {
    const stop = await fakeRunner(world.store);
    await world.plane.apply(run('good'));
    const { status } = await eventually(world, ['mrun', 'good'], isReady);
    await stop();
    expect(status).toMatchObject({ phase: 'Succeeded', nodes: { succeeded: 0, failed: 0 }, revision: (await get(world, 'mwf', 'runnable')).status?.revision });
    expect(await world.plane.kubectl('wait', '--for=condition=Complete', 'mrun/good', '-n', 'shop', '--timeout=5s')).toContain('condition met');
  });

  test('fails with its execution and says at which node', async () => {
    const stop = await fakeRunner(world.store, 'Failed');
    await world.plane.apply(run('bad'));
    const failed = await eventually(world, ['mrun', 'bad'], isStalled);
    await stop();
    expect(failed.status).toMatchObject({ phase: 'Failed', failure: { node: 'Keep', code: 'NodeFailed', message: 'the other side refused' } });
    expect(condition(failed, 'Failed')?.status).toBe('True');
    expect(condition(failed, 'Complete')?.status).toBe('False');
  });

  test('is canceled while it waits in the queue', async () => {
    await world.plane.apply(run('stopped'));
    await eventually(world, ['mrun', 'stopped'], ({ status }) => status?.executionId !== undefined);
    await world.plane.kubectl('patch', 'mrun', 'stopped', '-n', 'shop', '--type=merge', '-p', '{"spec":{"cancel":true}}');
    expect((await eventually(world, ['mrun', 'stopped'], isStalled)).status?.phase).toBe('Canceled');
  });

  test('that is deleted takes its execution with it', async () => {
    await world.plane.apply(run('unwanted'));
    const { status } = await eventually(world, ['mrun', 'unwanted'], (object) => object.status?.executionId !== undefined);
    await world.plane.kubectl('delete', 'mrun', 'unwanted', '-n', 'shop');
    const isCanceled = async () => (await world.store.executions.statuses([status?.executionId ?? '']))[0]?.status === 'Canceled';
    expect(await until(async () => ((await isCanceled()) ? true : undefined))).toBe(true);
  });

  test('goes when its time is over', async () => {
    const stop = await fakeRunner(world.store);
    await world.plane.apply(run('brief', { ttlAfterFinished: '0s' }));
    expect(await until(async () => ((await world.plane.kubectl('get', 'mrun', 'brief', '-n', 'shop', '--ignore-not-found')) === '' ? true : undefined))).toBe(true);
    await stop();
  });

  test('waits for a Workflow that is not there yet', async () => {
    await world.plane.apply(run('early', { workflowRef: { name: 'late' } }));
    await eventually(world, ['mrun', 'early'], (object) => condition(object, 'Ready')?.reason === 'WorkflowNotFound');
    await world.plane.apply(workflow('late', { active: true, nodes: [start] }));
    expect((await eventually(world, ['mrun', 'early'], ({ status }) => status?.executionId !== undefined)).status?.phase).toBe('Pending');
  });

  test('runs what was applied just before it, not what was published earlier', async () => {
    await world.plane.apply(workflow('runnable', { active: true, displayName: 'changed', nodes: [start, { name: 'Keep', type: 'noOp' }] }), run('fresh'));
    const { status } = await eventually(world, ['mrun', 'fresh'], (object) => object.status?.executionId !== undefined);
    expect(await world.store.revisions.get(status?.revision ?? '')).toMatchObject({ name: 'changed' });
  });

  test('of a draft needs mode Manual', async () => {
    await world.plane.apply(workflow('off', { nodes: [start] }), run('refused', { workflowRef: { name: 'off' } }), run('by-hand', { workflowRef: { name: 'off' }, mode: 'Manual' }));
    expect(condition(await eventually(world, ['mrun', 'refused'], isStalled), 'Ready')).toMatchObject({ reason: 'WorkflowInactive', message: expect.stringContaining('mode Manual') });
    await eventually(world, ['mrun', 'by-hand'], ({ status }) => status?.executionId !== undefined);
  });

  test('is enqueued once, though the operator is stopped and started all the time', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `once-${index}`);
    const before = (await executions()).length;
    const first = await world.startOperator();
    await Promise.all(names.map((name) => world.plane.apply(run(name))));
    await first.stop();
    const second = await world.startOperator();
    const ids = await Promise.all(names.map(async (name) => (await eventually(world, ['mrun', name], ({ status }) => status?.executionId !== undefined)).status?.executionId));
    await second.stop();
    expect(new Set(ids).size).toBe(names.length);
    expect((await executions()).length).toBe(before + names.length);
  });
});
