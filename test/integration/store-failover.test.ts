import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openStore, type Store } from '../../store/store.ts';
import { eventually } from '../eventually.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { type Standby, startStandby } from '../postgres/standby.ts';
import { KEEP_ALL, newStore, publish, request, succeeded } from '../postgres/test-store.ts';

const BATCH = 5;

let primary: Postgres;
let standby: Standby;

beforeAll(async () => {
  primary = await startPostgres();
  standby = await startStandby(primary);
}, 180_000);
afterAll(async () => {
  await standby.stop();
  await primary.stop();
}, 180_000);

test('nothing acknowledged is lost when the primary dies and its synchronous standby takes over', async () => {
  const { store: first, url } = await newStore(primary);
  await publish(first);
  await first.close();
  const both = url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`);
  const clients = await Promise.all(['api', 'runner'].map(async (applicationName) => openStore({ url: both, applicationName })));
  const [api, runner] = clients as [Store, Store];
  const heard: string[] = [];
  const stopListening = await runner.notifications.on('millrace_finished', (notification) => { if (notification.kind === 'message') heard.push(notification.payload); });
  const acknowledged: string[] = [];
  const finished = new Set<string>();
  const stop = new AbortController();
  const writer = (async () => {
    while (!stop.signal.aborted) {
      const outcomes = await api.queue.enqueue(Array.from({ length: BATCH }, () => request())).catch(() => []);
      for (const outcome of outcomes) if (outcome.accepted) acknowledged.push(outcome.id);
    }
  })();
  const worker = (async () => {
    while (!stop.signal.aborted) {
      const { claims } = await runner.queue.claim({ pool: 'default', runner: 'runner-1', limit: 50 }).catch(() => ({ claims: [] }));
      const lost = new Set(await runner.queue.finish(claims.map((claim) => ({ ...claim, result: succeeded(), save: KEEP_ALL }))).catch(() => claims.map(({ executionId }) => executionId)));
      for (const { executionId } of claims) if (!lost.has(executionId)) finished.add(executionId);
    }
  })();
  await eventually(() => { expect(finished.size).toBeGreaterThan(100); }, { withinMs: 60_000 });
  const before = acknowledged.length;
  await primary.kill();
  await standby.promote();
  await eventually(() => { expect(acknowledged.length).toBeGreaterThan(before + 100); }, { withinMs: 60_000 });
  stop.abort();
  await Promise.all([writer, worker]);
  // What was claimed on the old primary and not heard of goes back when the runner leaves.
  await runner.queue.leave('runner-1');
  for (let claims = 1; claims > 0;) {
    const taken = await runner.queue.claim({ pool: 'default', runner: 'runner-2', limit: 200 });
    await runner.queue.finish(taken.claims.map((claim) => ({ ...claim, result: succeeded(), save: KEEP_ALL })));
    claims = taken.claims.length;
  }
  const ended = new Map<string, string>();
  for (let from = 0; from < acknowledged.length; from += 200) {
    for (const { id, status } of await api.executions.statuses(acknowledged.slice(from, from + 200))) ended.set(id, status);
  }
  expect(acknowledged.filter((id) => ended.get(id) !== 'Succeeded')).toEqual([]);
  expect([...finished].filter((id) => !ended.has(id) && acknowledged.includes(id))).toEqual([]);
  // Listeners follow, too.
  const told = acknowledged[0] ?? '';
  await eventually(() => {
    api.notifications.send('millrace_finished', told);
    expect(heard).toContain(told);
  });
  await stopListening();
  await Promise.all(clients.map(async (store) => store.close()));
}, 300_000);
