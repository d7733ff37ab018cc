import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import { eventually, until } from '../eventually.ts';
import { Millrace } from './millrace.ts';

jest.setTimeout(600_000);

const RUNNERS = 'app.kubernetes.io/component=runner';
const POSTGRES = 'app.kubernetes.io/component=postgres';

let millrace: Millrace;
let effects: Awaited<ReturnType<Millrace['startEffects']>>;

beforeAll(async () => {
  millrace = await Millrace.start('durability');
  effects = await millrace.startEffects();
});
afterAll(() => millrace.remove());

const webhook = (path: string) => ({ name: 'Hook', type: 'webhook', position: [0, 0], parameters: { httpMethod: 'POST', path, responseMode: 'onReceived' } });
const call = (name: string, x: number, path: string) => ({ name, type: 'httpRequest', position: [x, 0], parameters: { method: 'POST', url: `${effects.url}${path}` } });
const wire = (from: string, to: string) => ({ from, output: 0, to, input: 0, type: 'main' });

describe('an acknowledged execution', () => {
  test('is finished by another runner when its own is killed with -9 while an effectful node is in flight', async () => {
    await millrace.deploy('takeover', {
      nodes: [webhook('takeover'), call('First', 200, '/first'), call('Second', 400, '/second')],
      connections: [wire('Hook', 'First'), wire('First', 'Second')],
    });
    await effects.hold('/second');
    expect((await millrace.webhook('takeover')).status).toBe(200);
    await until(async () => (await effects.count('/second')) === 1);
    const running = await until(async () => {
      const { json } = await millrace.api('/executions?workflow=takeover');
      return (json as { items: { id: string; status: string; runner?: string }[] }).items.find(({ status }) => status === 'Running');
    });
    const pods = await millrace.pods(RUNNERS);
    const owner = pods.find(({ metadata }) => running.runner?.startsWith(metadata.name));
    expect(owner).toBeDefined();
    await millrace.killPod(owner?.metadata.uid ?? '');
    await effects.release('/second');

    expect(await millrace.ended(running.id)).toMatchObject({ status: 'Succeeded', attempts: 2 });
    expect([await effects.count('/first'), await effects.count('/second')]).toEqual([1, 2]);
  });

  test('survives a kill -9 of PostgreSQL: what was acknowledged before, and while it restarts, finishes', async () => {
    await millrace.deploy('outage', { nodes: [webhook('outage'), call('Once', 200, '/outage')], connections: [wire('Hook', 'Once')] });
    const [postgres] = await millrace.pods(POSTGRES);
    const send = (i: number) => millrace.webhook('outage', { i }, { 'idempotency-key': `order-${i}` }).catch(() => ({ status: 0, json: undefined }));
    const before = await Promise.all(Array.from({ length: 40 }, (_, i) => send(i)));
    const during = Array.from({ length: 40 }, (_, i) => send(100 + i));
    await millrace.killPod(postgres?.metadata.uid ?? '');
    const acknowledged = [...before, ...(await Promise.all(during))].filter(({ status }) => status === 200).length;
    expect(before.every(({ status }) => status === 200)).toBe(true);

    const executions = await millrace.finished('outage', acknowledged);
    expect(new Set(executions.map(({ status }) => status))).toEqual(new Set(['Succeeded']));
    expect(executions.length).toBeGreaterThanOrEqual(acknowledged);
  });

  test('is as durable as PostgreSQL can make it', async () => {
    const [postgres] = await millrace.pods(POSTGRES);
    const secret = await millrace.cluster.kubectl('get', 'secret', 'millrace-database', '--namespace', millrace.system, '--output', 'jsonpath={.data.url}');
    const url = new URL(Buffer.from(secret, 'base64').toString());
    url.hostname = postgres?.status.podIP ?? '';
    const client = await eventually(async () => {
      const opened = new Client({ connectionString: url.href });
      await opened.connect();
      return opened;
    });
    const settings = await client.query<{ name: string; setting: string }>(
      "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')",
    );
    await client.end();
    expect(Object.fromEntries(settings.rows.map(({ name, setting }) => [name, setting]))).toEqual({ fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' });
  });
});
