import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import type { Schedule } from '../../runner/nodes/schedule-trigger/schedule.ts';
import { startScheduler } from '../../service/schedules/scheduler.ts';
import type { RouteTrigger } from '../../store/route.ts';
import { openStore, type Store } from '../../store/store.ts';
import { eventually } from '../eventually.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { newStore, publish } from '../postgres/test-store.ts';

let postgres: Postgres;
let store: Store;
let url: string;
/** To set back what the database believes about the past. */
let client: Client;

beforeAll(async () => { postgres = await startPostgres(); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);
beforeEach(async () => {
  ({ store, url } = await newStore(postgres));
  client = new Client({ connectionString: url });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await store.close();
});

const log = { warn: () => undefined };

function trigger(change: Partial<Schedule> = {}): RouteTrigger {
  const schedule: Schedule = { rules: [{ cron: '* * * * * *' }], timezone: 'UTC', misfire: 'all', misfireLimit: 1000, jitterMs: 0, ...change };
  return { kind: 'Schedule', node: 'Every', options: { ...schedule } };
}

/** The moments for which executions are queued, oldest first, as seconds since the epoch. */
async function fired(): Promise<number[]> {
  const { rows } = await client.query<{ at: Buffer }>('SELECT trigger AS at FROM millrace.queue');
  return rows.map(({ at }) => Date.parse((JSON.parse(at.toString('utf8')) as { items: [{ json: { timestamp: string } }] }).items[0].json.timestamp) / 1000).sort((a, b) => a - b);
}

/** Nothing left out, nothing double. */
function expectWhole(seconds: readonly number[]): void {
  const [first = 0] = seconds;
  expect(seconds).toEqual(seconds.map((_, index) => first + index));
}

test('any number of schedulers fire every tick once', async () => {
  const stores = await Promise.all([1, 2, 3].map(async (n) => openStore({ url, applicationName: `scheduler-${n}` })));
  const stops = await Promise.all([store, ...stores].map(async (each) => startScheduler({ store: each, log })));
  await publish(store, { triggers: [trigger()] });
  await eventually(async () => { expect((await fired()).length).toBeGreaterThanOrEqual(4); });
  await Promise.all(stops.map(async (stop) => stop()));
  await Promise.all(stores.map(async (each) => each.close()));
  expectWhole(await fired());
  const { schedules: [schedule] } = await store.schedules.list({ namespace: 'shop' });
  expect(schedule).toMatchObject({ workflow: 'orders', node: 'Every', fired: (await fired()).length, missed: 0 });
});

test('processes that are killed at any moment lose nothing and fire nothing twice', async () => {
  await publish(store, { triggers: [trigger()] });
  // Ticks of the last minutes are due as well, so that there is always something under way.
  await client.query("UPDATE millrace.schedule SET cursor = now() - interval '10 minutes', look_at = now()");
  const program = fileURLToPath(new URL('schedules-process.ts', import.meta.url));
  for (let round = 0; round < 5; round += 1) {
    const before = (await fired()).length;
    const child = spawn(process.execPath, [program, url], { stdio: 'ignore' });
    await eventually(async () => { expect((await fired()).length).toBeGreaterThan(before); });
    child.kill('SIGKILL');
    // Its claim would last for some seconds more.
    await client.query('UPDATE millrace.schedule SET look_at = now()');
  }
  const stop = await startScheduler({ store, log });
  await eventually(async () => { expect((await fired()).length).toBeGreaterThanOrEqual(600); });
  await stop();
  expectWhole(await fired());
}, 180_000);

test('a schedule of another workflow goes on with its times, is changed and removed with its route', async () => {
  await publish(store, { triggers: [trigger({ rules: [{ cron: '0 0 1 1 *' }] })] });
  const read = async () => (await store.schedules.list({})).schedules[0];
  const first = await read();
  await publish(store, { version: '2', triggers: [trigger({ rules: [{ cron: '0 0 1 1 *' }], misfire: 'skip' })] });
  expect(await read()).toMatchObject({ anchor: first?.anchor, spec: { misfire: 'skip' } });
  await publish(store, { version: '2', triggers: [trigger({ rules: [{ cron: '0 0 2 1 *' }] })] });
  expect((await read())?.anchor).toBeGreaterThan(first?.anchor ?? Infinity);
  await publish(store, { version: '2', active: false, triggers: [trigger()] });
  expect(await read()).toBeUndefined();
  await publish(store, { version: '2', triggers: [trigger()] });
  await store.routes.remove({ namespace: 'shop', workflow: 'orders', uid: 'uid-1' });
  expect(await read()).toBeUndefined();
});

test('among 100,000 schedules only those that are due are read', async () => {
  await publish(store, { triggers: [trigger({ rules: [{ cron: '0 0 1 1 *' }] })] });
  await client.query(`
    INSERT INTO millrace.schedule (namespace, workflow, node, uid, spec, look_at)
    SELECT 'shop', 'orders', 'n' || n, 'u', '{}', now() + interval '1 day' FROM generate_series(1, 100000) n`);
  await client.query('ANALYZE millrace.schedule');
  const { rows: plan } = await client.query<{ 'QUERY PLAN': string }>('EXPLAIN SELECT 1 FROM millrace.schedule WHERE look_at <= now() ORDER BY look_at LIMIT 100 FOR UPDATE SKIP LOCKED');
  expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('schedule_by_look');
  expect((await store.schedules.claim(100)).due).toMatchObject([{ node: 'Every' }]);
  expect(await store.schedules.claim(100)).toMatchObject({ due: [] });
});
