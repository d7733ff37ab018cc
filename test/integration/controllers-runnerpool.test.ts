import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { World } from './controllers-setup.ts';
import { HOME, condition, eventually, get, isReady, isStalled, startWorld, until } from './controllers-setup.ts';

// The machine may be busy; the world is asked often, so nothing is slower for it.
jest.setTimeout(180_000);

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.startOperator();
}, 240_000);
afterAll(() => world.stop());

const pool = (name: string, spec: object = {}, namespace = HOME) => ({ apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name, namespace }, spec });
const deployment = async (name: string) => {
  const text = await world.plane.kubectl('get', 'deployment', `millrace-runner-${name}`, '-n', HOME, '-o', 'json', '--ignore-not-found');
  return text === '' ? undefined : JSON.parse(text);
};
/** There is no controller manager: this is what it would write. */
const settle = (name: string, status: object) => world.plane.kubectl('patch', 'deployment', `millrace-runner-${name}`, '-n', HOME, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));

describe('a RunnerPool', () => {
  test('has a Deployment, follows its spec and is Ready when its runners are', async () => {
    await world.plane.apply(pool('big', { replicas: 2, image: 'millrace:2' }));
    const made = await until(() => deployment('big'));
    expect(made).toMatchObject({ spec: { replicas: 2, template: { spec: { containers: [{ image: 'millrace:2', args: ['runner/main.ts'] }] } } }, metadata: { ownerReferences: [{ kind: 'RunnerPool', controller: true }] } });
    expect(condition(await eventually(world, ['mpool', 'big', HOME], ({ status }) => status?.observedGeneration === 1), 'Ready')).toMatchObject({ status: 'Unknown', reason: 'RunnersStarting' });

    await settle('big', { observedGeneration: made.metadata.generation, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 });
    expect((await eventually(world, ['mpool', 'big', HOME], isReady)).status).toMatchObject({
      replicas: 2, readyReplicas: 2, selector: 'app.kubernetes.io/component=runner,millrace.dev/runner-pool=big',
    });

    await world.plane.kubectl('scale', 'mpool/big', '-n', HOME, '--replicas=5');
    await until(async () => ((await deployment('big'))?.spec.replicas === 5 ? true : undefined));
  });

  test('puts back what somebody changes of its Deployment', async () => {
    await world.plane.apply(pool('kept', { replicas: 1 }));
    await until(() => deployment('kept'));
    await world.plane.kubectl('set', 'image', 'deployment/millrace-runner-kept', '-n', HOME, 'runner=other:1');
    expect(await until(async () => ((await deployment('kept')).spec.template.spec.containers[0].image === 'millrace:test' ? true : undefined))).toBe(true);
  });

  test('is Stalled when its pods are refused', async () => {
    await world.plane.apply(pool('poor'));
    const { metadata } = await until(() => deployment('poor'));
    await settle('poor', { observedGeneration: metadata.generation, conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }] });
    expect(condition(await eventually(world, ['mpool', 'poor', HOME], isStalled), 'Ready')).toMatchObject({ reason: 'PodsRefused', message: 'pods cannot be created: exceeded quota' });
  });

  test('is Stalled when the API server refuses its pods, and says why', async () => {
    await world.plane.apply(pool('wrong', { placement: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } } }));
    expect(condition(await eventually(world, ['mpool', 'wrong', HOME], isStalled), 'Ready')).toMatchObject({ reason: 'RunnerSpecRefused', message: expect.stringContaining('nodeSelectorTerms') });
  });

  test('in another namespace than the operator is Stalled', async () => {
    await world.plane.apply(pool('foreign', {}, 'shop'));
    expect(condition(await eventually(world, ['mpool', 'foreign', 'shop'], isStalled), 'Ready')).toMatchObject({ reason: 'NamespaceNotServed', message: expect.stringContaining(`namespace ${HOME}`) });
  });
});

describe('a RunnerPool with scaling', () => {
  /** A workflow whose executions go to the pool of the same name. */
  const publish = async (name: string) => {
    const spec = { active: true, settings: { runnerPool: name }, nodes: [{ name: 'Go', type: 'manualTrigger', position: [0, 0] }], connections: [] };
    await world.plane.apply({ apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name, namespace: 'shop' }, spec });
    await eventually(world, ['mwf', name], isReady);
  };
  const enqueue = (workflow: string, count: number) => world.store.queue.enqueue(Array.from({ length: count }, () => ({ namespace: 'shop', workflow, mode: 'Webhook' as const, trigger: { items: [] } })));
  const sized = (name: string, replicas: number) => until(async () => ((await deployment(name))?.spec.replicas === replicas ? true : undefined));

  test('goes from zero with the first work, up with a burst, and down to zero, and says why each time', async () => {
    await publish('elastic');
    await world.plane.apply(pool('elastic', { concurrency: 10, executors: 2, scaling: { minReplicas: 0, maxReplicas: 6, scaleDown: { stabilizationSeconds: 1 } } }));
    await sized('elastic', 0);
    await enqueue('elastic', 1);
    await sized('elastic', 1);
    await enqueue('elastic', 400);
    await sized('elastic', 6);
    expect(condition(await eventually(world, ['mpool', 'elastic', HOME], (object) => condition(object, 'ScalingLimited')?.status === 'True'), 'ScalingLimited')).toMatchObject({ reason: 'TooManyReplicas' });

    const { claims } = await world.store.queue.claim({ pool: 'elastic', runner: 'all/1', limit: 1000 });
    await world.store.queue.finish(claims.map(({ executionId, fence, save }) => ({ executionId, fence, save, result: { status: 'Succeeded', runs: [] } })));
    await world.store.queue.leave('all/1');
    await sized('elastic', 0);
    const { status } = await eventually(world, ['mpool', 'elastic', HOME], (object) => object.status?.desiredReplicas === 0);
    expect(status?.decisions?.[0]).toMatchObject({ to: 0, time: status?.lastScaleTime, message: expect.stringContaining('were enough for 1 s') });
    expect(status?.decisions?.at(-1)).toMatchObject({ from: 0, to: 1, reason: 'FirstWork', message: expect.stringMatching(/^1 wait .* target wait 10 s$/) });
    const events = await world.plane.kubectl('get', 'events.events.k8s.io', '-n', HOME, '-o', 'jsonpath={range .items[?(@.regarding.name=="elastic")]}{.reason}:{.note}{"\\n"}{end}');
    expect(events).toMatch(/ScaledUp:from 0 to 1 runners \(FirstWork\)/);
    expect(events).toMatch(/ScaledDown:from \d to 0/);
  });

  test('gives up the runners that have the least to do', async () => {
    await publish('idle-first');
    const spec = { concurrency: 10, scaling: { minReplicas: 2, maxReplicas: 2, scaleDown: { stabilizationSeconds: 0 } } };
    await world.plane.apply(pool('idle-first', spec));
    await sized('idle-first', 2);
    const labels = { 'app.kubernetes.io/component': 'runner', 'millrace.dev/runner-pool': 'idle-first' };
    for (const name of ['busy', 'idle']) {
      await world.plane.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: HOME, labels }, spec: { automountServiceAccountToken: false, containers: [{ name: 'runner', image: 'none' }] } });
      await world.store.queue.claim({ pool: 'idle-first', runner: `${name}/1`, limit: 1, leaseMs: 600_000 });
      await world.store.queue.renew({ runner: `${name}/1`, leases: [], leaseMs: 600_000, load: { slots: 10, busy: name === 'busy' ? 3 : 0, started: 3, ended: 0, busyMs: 0 } });
    }
    await world.plane.apply(pool('idle-first', { ...spec, scaling: { ...spec.scaling, minReplicas: 1, maxReplicas: 1 } }));
    await sized('idle-first', 1);
    const costs = await world.plane.kubectl('get', 'pods', '-n', HOME, '-l', 'millrace.dev/runner-pool=idle-first', '-o', 'jsonpath={range .items[*]}{.metadata.name}={.metadata.annotations.controller\\.kubernetes\\.io/pod-deletion-cost};{end}');
    expect(costs).toBe('busy=;idle=-1;');
  });

  test('leaves its size to an autoscaler that writes the scale subresource, within the bounds', async () => {
    await world.plane.apply(pool('outside', { scaling: { mode: 'External', minReplicas: 1, maxReplicas: 3 } }));
    await sized('outside', 1);
    await world.plane.kubectl('scale', 'mpool/outside', '-n', HOME, '--replicas=9');
    await sized('outside', 3);
    expect(condition(await get(world, 'mpool', 'outside', HOME), 'ScalingActive')).toMatchObject({ status: 'True', reason: 'FollowsReplicas' });
  });

  test('with a timezone that nobody knows is Stalled', async () => {
    await world.plane.apply(pool('lost', { scaling: { schedules: [{ timezone: 'Mars/Olympus', from: '08:00', to: '09:00' }] } }));
    expect(condition(await eventually(world, ['mpool', 'lost', HOME], isStalled), 'Ready')).toMatchObject({ reason: 'TimezoneUnknown', message: expect.stringContaining('Mars/Olympus') });
  });
});

test('a RunnerPool has a disruption budget, and an account and a network policy when it asks for them', async () => {
  const own = async (kind: string) => {
    const text = await world.plane.kubectl('get', kind, 'millrace-runner-fenced', '-n', HOME, '-o', 'json', '--ignore-not-found');
    return text === '' ? undefined : JSON.parse(text);
  };
  await world.plane.apply(pool('fenced', {
    serviceAccount: { annotations: { 'example.dev/role': 'reader' } }, disruption: { maxUnavailable: 2 },
    networkPolicy: { egress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }] },
  }));
  expect(await until(() => own('poddisruptionbudget'))).toMatchObject({ spec: { maxUnavailable: 2, selector: { matchLabels: { 'millrace.dev/runner-pool': 'fenced' } } } });
  expect(await own('serviceaccount')).toMatchObject({ automountServiceAccountToken: false, metadata: { annotations: { 'example.dev/role': 'reader' } } });
  expect((await own('networkpolicy')).spec.egress).toMatchObject([{ ports: [{ port: 53 }, { port: 53 }] }, { ports: [{ port: 5432 }] }, { to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }]);
  expect((await until(() => deployment('fenced'))).spec).toMatchObject({ strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } }, template: { spec: { serviceAccountName: 'millrace-runner-fenced' } } });

  await world.plane.apply(pool('fenced', { concurrency: 5 }));
  await until(async () => ((await own('serviceaccount')) === undefined && (await own('networkpolicy')) === undefined ? true : undefined));
});

test('a RunnerPool serves the namespaces that it allows, and takes those in whose workflows it has lost', async () => {
  const workflow = (namespace: string) => ({
    apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: 'guest', namespace },
    spec: { active: true, settings: { runnerPool: 'private' }, nodes: [{ name: 'Go', type: 'manualTrigger', position: [0, 0] }], connections: [] },
  });
  await world.plane.apply(pool('private', { allowedNamespaces: ['team-*'] }));
  await until(() => deployment('private'));
  await world.plane.apply(workflow('shop'));
  expect(condition(await eventually(world, ['mwf', 'guest'], isStalled), 'Ready')).toMatchObject({ reason: 'RunnerPoolNotAllowed', message: expect.stringContaining('RunnerPool private does not serve namespace shop') });
  expect(await world.store.queue.enqueue([{ namespace: 'shop', workflow: 'guest', mode: 'Manual', trigger: { items: [] } }])).toMatchObject([{ accepted: false, reason: 'WorkflowNotFound' }]);

  await world.plane.apply(pool('private', { allowedNamespaces: ['team-*', 'shop'] }));
  await eventually(world, ['mwf', 'guest'], isReady);
  const run = (name: string, spec: object) => world.plane.apply({ apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name, namespace: 'shop' }, spec: { workflowRef: { name: 'guest' }, ...spec } });
  await run('allowed', {});
  await eventually(world, ['mrun', 'allowed'], ({ status }) => status?.executionId !== undefined);

  await world.plane.apply(pool('private', { allowedNamespaces: ['team-*'] }));
  await eventually(world, ['mwf', 'guest'], isStalled);
  expect(await world.store.queue.enqueue([{ namespace: 'shop', workflow: 'guest', mode: 'Manual', trigger: { items: [] } }])).toMatchObject([{ accepted: false }]);
  await run('elsewhere', { runnerPool: 'private' });
  expect(condition(await eventually(world, ['mrun', 'elsewhere'], isStalled), 'Ready')).toMatchObject({ reason: 'RunnerPoolNotAllowed' });
});

test('the pools of the release come, may be scaled by others, change with the release, and go', async () => {
  const release = (pools: object) => world.plane.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'release-pools', namespace: HOME }, data: { 'pools.json': JSON.stringify(pools) } });
  await release({ default: { replicas: 2 }, extra: {} });
  await until(() => deployment('default'));
  await until(() => deployment('extra'));
  await world.plane.kubectl('scale', 'mpool/default', '-n', HOME, '--replicas=4');
  await until(async () => ((await deployment('default')).spec.replicas === 4 ? true : undefined));
  await release({ default: { replicas: 3 } });
  await until(async () => ((await deployment('default')).spec.replicas === 3 ? true : undefined));
  await expect(until(() => get(world, 'mpool', 'extra', HOME).then(() => undefined, (error: unknown) => error))).resolves.toMatchObject({ reason: 'NotFound' });
});
