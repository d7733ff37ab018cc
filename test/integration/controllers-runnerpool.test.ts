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
