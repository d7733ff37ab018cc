import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { WORKFLOW_PATH, validatingConfiguration } from '../../webhooks/configuration.ts';
import { freePort } from '../cluster/free-port.ts';
import type { World } from './controllers-setup.ts';
import { HOME, WEBHOOKS, eventually, isReady, startWorld, until } from './controllers-setup.ts';

// The machine may be busy; the world is asked often, so nothing is slower for it.
jest.setTimeout(180_000);

const webhookNames = { MILLRACE_WEBHOOK_CONFIGURATION: WEBHOOKS.configuration, MILLRACE_WEBHOOK_SERVICE: WEBHOOKS.service };

let world: World;
const processes: ChildProcess[] = [];
beforeAll(async () => {
  world = await startWorld();
}, 240_000);
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await world.stop();
});

interface Running {
  child: ChildProcess;
  /** Of its health port. */
  get(path: string): Promise<Response>;
}

/** A role as a process of its own; resolves once it answers /readyz with `status`. */
async function startProcess(name: string, entry = 'operator/main.ts', status = 200): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../..', entry)], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      KUBECONFIG: world.plane.kubeconfig, MILLRACE_DATABASE_URL: world.databaseUrl, POD_NAMESPACE: HOME, POD_NAME: name, MILLRACE_IMAGE: 'millrace:test',
      MILLRACE_DATABASE_SECRET: 'database', MILLRACE_WEBHOOK_SECRET: WEBHOOKS.secret, MILLRACE_WEBHOOK_PORT: '0', ...webhookNames, MILLRACE_HEALTH_PORT: String(port), MILLRACE_LOG_LEVEL: 'error',
    },
  });
  processes.push(child);
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await until(() => get('/readyz').then((response) => (response.status === status ? true : undefined), () => undefined));
  return { child, get };
}

test('runs are enqueued once, though the operator is killed in the middle', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `run-${index}`);
  const first = await startProcess('first');
  await world.plane.apply({ apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: 'orders', namespace: 'shop' }, spec: { active: true, nodes: [{ name: 'Start', type: 'manualTrigger' }] } });
  await eventually(world, ['mwf', 'orders'], isReady);
  expect(await (await first.get('/metrics')).text()).toContain('process_cpu_seconds_total');

  const applied = world.plane.apply(...names.map((name) => ({ apiVersion: 'millrace.dev/v1alpha1', kind: 'WorkflowRun', metadata: { name, namespace: 'shop' }, spec: { workflowRef: { name: 'orders' } } })));
  await until(async () => ((await world.store.queue.stats('default')).ready > 0 ? true : undefined));
  first.child.kill('SIGKILL');
  await applied;

  const second = await startProcess('second');
  // The lease of the killed one has to end first: 15 seconds.
  const isEnqueued = async (name: string) => (await eventually(world, ['mrun', name], ({ status }) => status?.executionId !== undefined, 90_000)).status?.executionId;
  const ids = await Promise.all(names.map(isEnqueued));
  expect(new Set(ids).size).toBe(names.length);
  expect((await world.store.queue.stats('default')).ready).toBe(names.length);

  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
}, 180_000);

test('a replica that stands by ends at once when told', async () => {
  const leader = await startProcess('leader');
  const standby = await startProcess('standby');
  standby.child.kill('SIGTERM');
  expect(await once(standby.child, 'exit')).toEqual([0, null]);
  leader.child.kill('SIGTERM');
  expect(await once(leader.child, 'exit')).toEqual([0, null]);
}, 240_000);

test('the webhooks are ready once the operator has made their certificate', async () => {
  const webhooks = await startProcess('webhooks', 'webhooks/main.ts', 503);
  await world.plane.apply(validatingConfiguration({
    name: WEBHOOKS.configuration, operator: 'nobody', clientConfig: { service: { namespace: HOME, name: WEBHOOKS.service, port: 443, path: WORKFLOW_PATH } },
  }));
  const operator = await startProcess('operator');
  expect(await until(async () => ((await webhooks.get('/readyz')).status === 200 ? true : undefined), 90_000)).toBe(true);
  for (const { child } of [operator, webhooks]) {
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
}, 180_000);
