import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../eventually.ts';
import { Millrace } from './millrace.ts';

jest.setTimeout(600_000);

const POOL = 'elastic';
const SELECTOR = `millrace.dev/runner-pool=${POOL}`;
const PATIENT = { withinMs: 180_000, everyMs: 200 };

interface PoolObject {
  spec: object;
  status?: { desiredReplicas?: number; readyReplicas?: number; decisions?: { from: number; to: number; reason: string; message: string }[] };
}

let millrace: Millrace;
let effects: Awaited<ReturnType<Millrace['startEffects']>>;

const poolSpec = (change: object = {}) => ({
  scaling: { minReplicas: 0, maxReplicas: 3, targetWaitSeconds: 2, scaleDown: { stabilizationSeconds: 5 } },
  allowedNamespaces: [millrace.namespace], executors: 1, concurrency: 4, resources: { requests: { cpu: '50m', memory: '256Mi' }, limits: { memory: '640Mi' } }, ...change,
});
const applyPool = (change: object = {}) => millrace.cluster.apply({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name: POOL, namespace: millrace.system }, spec: poolSpec(change),
});
const pool = async (): Promise<PoolObject> => JSON.parse(await millrace.cluster.kubectl('get', 'mpool', POOL, '--namespace', millrace.system, '--output', 'json')) as PoolObject;
const sized = (wanted: (status: NonNullable<PoolObject['status']>) => boolean) => until(async () => {
  const { status } = await pool();
  return status !== undefined && wanted(status) ? status : undefined;
}, PATIENT);

/** What `kubectl drain` does with each pod. */
async function evict(pod: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-evict-'));
  const file = join(directory, 'eviction.json');
  await writeFile(file, JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: millrace.system } }));
  await millrace.cluster.kubectl('create', '--raw', `/api/v1/namespaces/${millrace.system}/pods/${pod}/eviction`, '--filename', file);
  await rm(directory, { recursive: true });
}

beforeAll(async () => {
  millrace = await Millrace.start('pools');
  effects = await millrace.startEffects();
  await applyPool();
  await millrace.deploy('call', {
    settings: { runnerPool: POOL },
    nodes: [
      { name: 'Hook', type: 'webhook', position: [0, 0], parameters: { httpMethod: 'POST', path: 'call', responseMode: 'onReceived' } },
      { name: 'Call', type: 'httpRequest', position: [200, 0], parameters: { method: 'POST', url: `=${effects.url}/{{ $json.body.path }}` } },
    ],
    connections: [{ from: 'Hook', output: 0, to: 'Call', input: 0, type: 'main' }],
  });
});
afterAll(async () => {
  await millrace.cluster.kubectl('delete', 'mpool', POOL, '--namespace', millrace.system, '--ignore-not-found');
  await millrace.remove();
});

test('a pool goes from zero to a burst and back, and neither evictions nor rolling updates lose or fail anything', async () => {
  const send = async (path: string, count: number): Promise<void> => {
    const answers = await Promise.all(Array.from({ length: count }, () => millrace.webhook('call', { path })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  };
  await sized(({ desiredReplicas }) => desiredReplicas === 0);

  // The first work of a pool without pods.
  await send('first', 1);
  await millrace.finished('call', 1);

  // Three pods of four slots each for twelve executions that do not end.
  await effects.hold('/burst');
  await send('burst', 12);
  await until(async () => (await effects.count('/burst')) === 12, PATIENT);
  const { decisions = [] } = await sized(({ desiredReplicas, readyReplicas }) => desiredReplicas === 3 && readyReplicas === 3);
  expect(decisions.map(({ to }) => to)).toContain(3);
  expect(decisions[0]?.message).toMatch(/wait .* target wait 2 s/);

  // A node is drained: one pod is evicted with all its slots taken, while more work arrives.
  const [evicted] = await millrace.pods(SELECTOR);
  await evict(evicted?.metadata.name ?? '');
  await send('during', 8);
  await effects.release('/burst');
  await millrace.finished('call', 21);

  // A new template while work arrives.
  await applyPool({ env: [{ name: 'MILLRACE_VAR_round', value: '2' }] });
  for (let n = 0; n < 10; n += 1) await send('rolling', 2);
  await millrace.finished('call', 41);

  const { json } = await millrace.api('/executions?workflow=call&limit=200');
  const { items } = json as { items: { status: string; crashes: number }[] };
  expect(items.map(({ status, crashes }) => `${status} ${crashes}`)).toEqual(items.map(() => 'Succeeded 0'));
  expect(items).toHaveLength(41);
  expect(await effects.count('/rolling')).toBe(20);

  const empty = await sized(({ desiredReplicas }) => desiredReplicas === 0);
  expect(empty.decisions?.[0]).toMatchObject({ to: 0, message: expect.stringContaining('were enough for 5 s') });
  await until(async () => (await millrace.pods(SELECTOR)).length === 0, PATIENT);
});
