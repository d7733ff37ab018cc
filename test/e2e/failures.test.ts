import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { binaries } from '../cluster/build.ts';
import { CONTROL_PLANE_BINARIES } from '../cluster/versions.ts';
import { startEffectServer, type EffectServer } from '../doubles/effect-server.ts';
import { eventually, until } from '../eventually.ts';
import { watchHealth, type HealthWatch } from './health-watch.ts';
import { Millrace } from './millrace.ts';
import { startOrders, type OrderLoad } from './order-load.ts';

jest.setTimeout(600_000);

/** Longer than a watch, a lease and a readiness probe wait. */
const OUTAGE_MS = 30_000;
const PATIENT = { withinMs: 180_000, everyMs: 500 };
const KEYS = "={{ 'order-' + $('Hook').first().json.body.order }}";

let millrace: Millrace;
/** On the host: somebody else's system does not go down with the cluster, and remembers everything. */
let effects: EffectServer;
let health: HealthWatch;
let orders: OrderLoad;

const keyOf = (order: number): string => `order-${order}`;
const component = (name: string) => `app.kubernetes.io/component=${name}`;
const hook = (path: string) => ({ name: 'Hook', type: 'webhook', position: [0, 0], parameters: { httpMethod: 'POST', path, responseMode: 'onReceived' } });
const wire = (from: string, to: string) => ({ from, output: 0, to, input: 0, type: 'main' });
const draft = (label: string) => ({ nodes: [{ name: 'Start', type: 'manualTrigger', position: [0, 0] }, { name: label, type: 'noOp', position: [200, 0] }], connections: [wire('Start', label)] });

beforeAll(async () => {
  // A cluster that was kept remembers the executions and the idempotency keys of the last time.
  millrace = await Millrace.start(`failures-${Date.now().toString(36)}`);
  effects = await startEffectServer(0, millrace.cluster.machine.spec.network.hostAddress);
  health = await watchHealth(millrace.cluster.kubeconfig);
  const tell = {
    name: 'Tell', type: 'httpRequest', position: [200, 0], retry: { maxTries: 3 },
    parameters: { method: 'POST', url: `${effects.url}/order`, sendHeaders: true, headerParameters: { parameters: [{ name: 'idempotency-key', value: KEYS }] } },
  };
  await millrace.deploy('orders', { nodes: [hook('orders'), tell], connections: [wire('Hook', 'Tell')] });
  orders = startOrders(millrace, 'orders');
});

afterAll(async () => {
  await orders.stop();
  await health.stop();
  await effects.close();
  await millrace.remove();
});

/** What was not there before the fault is acknowledged after it. */
async function goesOn(): Promise<boolean> {
  const before = Math.max(...orders.acknowledged, 0);
  return until(() => Math.max(...orders.acknowledged) > before + 2, PATIENT);
}

/** A change that is applied now becomes Ready. */
async function converges(label: string): Promise<boolean> {
  return eventually(async () => {
    await millrace.deploy('changing', draft(label));
    return true;
  }, PATIENT);
}

async function kill(selector: string, wanted: (name: string) => boolean = () => true): Promise<void> {
  const pod = (await millrace.pods(selector)).find(({ metadata }) => wanted(metadata.name));
  expect(pod).toBeDefined();
  await millrace.killPod(pod?.metadata.uid ?? '');
}

describe('acknowledged orders are executed, and objects converge, when', () => {
  test('the leader of the operator is killed with -9', async () => {
    expect(await converges('Before')).toBe(true);
    const leader = await millrace.cluster.kubectl('get', 'lease', 'millrace-operator', '--namespace', millrace.system, '--output', 'jsonpath={.spec.holderIdentity}');
    await kill(component('operator'), (name) => leader.startsWith(name));
    expect(await converges('Operator killed')).toBe(true);
    expect(await goesOn()).toBe(true);
  });

  test('an api pod is killed with -9', async () => {
    await kill(component('api'));
    expect(await goesOn()).toBe(true);
  });

  test('a webhook pod is killed with -9, and nothing invalid gets in meanwhile', async () => {
    await kill(component('webhooks'));
    const broken = { ...draft('Nothing'), active: true, connections: [wire('Start', 'Nowhere')] };
    // Refused by the one that is left, or, if asked of the one that is gone, because nobody answers: never taken.
    await expect(millrace.cluster.apply({ apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: 'broken', namespace: millrace.namespace }, spec: broken })).rejects.toThrow(/kubectl/);
    expect(await converges('Webhook killed')).toBe(true);
  });

  test('a runner is killed with -9', async () => {
    await kill(component('runner'));
    expect(await goesOn()).toBe(true);
  });

  test('PostgreSQL is restarted', async () => {
    await millrace.cluster.kubectl('delete', 'pod', '--namespace', millrace.system, '--selector', component('postgres'), '--wait=true');
    expect(await goesOn()).toBe(true);
  });

  test('the API server is away for 30 s: webhooks go on being answered', async () => {
    const pathOf = await binaries(CONTROL_PLANE_BINARIES);
    const apiServer = await until(() => millrace.cluster.machine.find(pathOf('kube-apiserver')));
    process.kill(apiServer.pid, 'SIGKILL');
    expect(await goesOn()).toBe(true);
    await delay(OUTAGE_MS);
    expect(await goesOn()).toBe(true);
    await millrace.cluster.up();
    expect(await converges('API server back')).toBe(true);
  });

  test('the node is rebooted, which kills every pod', async () => {
    await millrace.cluster.reboot();
    expect(await goesOn()).toBe(true);
    expect(await converges('Rebooted')).toBe(true);
  });
});

test('after all of it every order was executed, and no object was ever healthy with an old generation', async () => {
  const sent = await orders.stop();
  expect([...orders.acknowledged].sort((a, b) => a - b)).toEqual(sent);
  const ended = await until(async () => {
    const all = await executions();
    return all.length >= sent.length && all.every(({ status }) => status === 'Succeeded' || status === 'Failed') ? all : undefined;
  }, PATIENT);
  const keys = effects.requests('/order').map((headers) => String(headers['idempotency-key']));
  process.stderr.write(`failures: ${sent.length} orders, ${ended.length} executions, ${keys.length} requests, ${health.seen} states of objects\n`);
  expect(ended.map(({ status }) => status)).toEqual(sent.map(() => 'Succeeded'));
  expect(new Set(keys)).toEqual(new Set(sent.map(keyOf)));
  expect(health.violations).toEqual([]);
  expect(health.seen).toBeGreaterThan(10);
});

async function executions(): Promise<{ status: string }[]> {
  const found: { status: string }[] = [];
  let cursor: string | undefined;
  do {
    const { json } = await millrace.api(`/executions?workflow=orders&limit=200${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    const page = json as { items: { status: string }[]; cursor?: string };
    found.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
