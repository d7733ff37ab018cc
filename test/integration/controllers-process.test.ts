import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort } from '../cluster/free-port.ts';
import type { World } from './controllers-setup.ts';
import { HOME, eventually, isReady, startWorld, until } from './controllers-setup.ts';

let world: World;
const processes: ChildProcess[] = [];
beforeAll(async () => {
  world = await startWorld();
}, 120_000);
afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await world.stop();
});

/** operator/main.ts as a process of its own. */
async function startProcess(name: string): Promise<{ child: ChildProcess; get(path: string): Promise<Response> }> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../operator/main.ts')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      KUBECONFIG: world.plane.kubeconfig, MILLRACE_DATABASE_URL: world.databaseUrl, POD_NAMESPACE: HOME, POD_NAME: name, MILLRACE_IMAGE: 'millrace:test',
      MILLRACE_DATABASE_SECRET: 'database', MILLRACE_HEALTH_PORT: String(port), MILLRACE_LOG_LEVEL: 'error',
    },
  });
  processes.push(child);
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  await until(() => get('/readyz').then((response) => (response.status === 200 ? true : undefined), () => undefined));
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
  const isEnqueued = async (name: string) => (await eventually(world, ['mrun', name], ({ status }) => status?.executionId !== undefined, 40_000)).status?.executionId;
  const ids = await Promise.all(names.map(isEnqueued));
  expect(new Set(ids).size).toBe(names.length);
  expect((await world.store.queue.stats('default')).ready).toBe(names.length);

  second.child.kill('SIGTERM');
  expect(await once(second.child, 'exit')).toEqual([0, null]);
}, 90_000);

test('a replica that stands by ends at once when told', async () => {
  const leader = await startProcess('leader');
  const standby = await startProcess('standby');
  standby.child.kill('SIGTERM');
  expect(await once(standby.child, 'exit')).toEqual([0, null]);
  leader.child.kill('SIGTERM');
  expect(await once(leader.child, 'exit')).toEqual([0, null]);
}, 60_000);
