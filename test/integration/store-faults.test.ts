import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { LeaseKeeper } from '../../runner/supervisor/lease-keeper.ts';
import { StoreError } from '../../store/error.ts';
import { openStore, type Store } from '../../store/store.ts';
import { type LossyProxy, startLossyProxy } from '../postgres/lossy-proxy.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { accept, claimOne, KEEP_ALL, newStore, nodeRun, publish, request, succeeded } from '../postgres/test-store.ts';
import { eventually } from '../eventually.ts';

let postgres: Postgres;
let proxy: LossyProxy;
/** Straight to PostgreSQL. */
let direct: Store;
/** Through the proxy. */
let remote: Store;

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await startLossyProxy(postgres.port);
}, 180_000);
afterAll(async () => {
  await proxy.close();
  await postgres.stop();
}, 180_000);
beforeEach(async () => {
  proxy.heal();
  const { store, url } = await newStore(postgres);
  direct = store;
  remote = await openStore({ url: proxy.url(url), applicationName: 'remote' });
  await publish(direct);
});
afterEach(async () => {
  proxy.heal();
  await remote.close();
  await direct.close();
});

async function count(): Promise<number> {
  const { ready, delayed, running } = await direct.queue.stats('default');
  return ready + delayed + running;
}

test.each([{ key: undefined }, { key: 'k' }])('a request whose answer got lost is one execution (idempotency key $key)', async ({ key }) => {
  const lost = proxy.loseAnswerTo('enqueue');
  const outcome = remote.queue.enqueue([request(key === undefined ? {} : { idempotencyKey: key })]);
  await lost;
  expect(await count()).toBe(1);
  proxy.heal();
  const claim = await claimOne(direct);
  expect(await outcome).toMatchObject([{ accepted: true, id: claim.executionId, revision: claim.revision, duplicate: false }]);
  expect(await count()).toBe(1);
});

test.each([{ success: 'All' }, { success: 'None' }] as const)('also when that execution has ended meanwhile (kept: $success)', async ({ success }) => {
  await publish(direct, { save: { success, failure: 'All' } });
  const lost = proxy.loseAnswerTo('enqueue');
  const outcome = remote.queue.enqueue([request(), request()]);
  await lost;
  const { claims: [first, second] } = await direct.queue.claim({ pool: 'default', runner: 'runner-1', limit: 2 });
  if (first === undefined || second === undefined) throw new Error('Two claims were expected');
  await direct.queue.finish([{ ...first, result: succeeded() }]);
  // And the route has moved on, but what was accepted stays pinned.
  await publish(direct, { version: '2' });
  proxy.heal();
  expect(await outcome).toMatchObject([first, second].map(({ executionId, revision }) => ({ accepted: true, id: executionId, revision, duplicate: false })));
  expect(await count()).toBe(1);
});

test('checkpoints, answers and ends whose confirmation got lost are written once', async () => {
  const id = await accept(direct);
  const claim = await claimOne(direct);
  const checkpoint = { sequence: 0, runs: [nodeRun()], recordings: [] };
  for (const [statement, write] of [
    ['checkpoint', async () => remote.queue.checkpoint([{ ...claim, checkpoint }])],
    ['respond', async () => remote.queue.respond([{ ...claim, response: { status: 200, headers: {}, body: '', encoding: 'utf8' } }])],
    ['finish', async () => remote.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }])],
  ] as const) {
    const lost = proxy.loseAnswerTo(statement);
    const outcome = write();
    await lost;
    proxy.heal();
    expect(await outcome).toEqual([]);
  }
  expect(await direct.executions.get(id)).toMatchObject({ status: 'Succeeded', attempts: 1, crashes: 0 });
  expect(await count()).toBe(0);
});

test('a call that resumes a waiting execution is one call, also when its answer got lost', async () => {
  const id = await accept(direct);
  await direct.queue.wait([{ ...await claimOne(direct), wait: { node: 'Approve', on: 'webhook' } }]);
  const lost = proxy.loseAnswerTo('resume');
  const outcome = remote.queue.resume({ executionId: id, node: 'Approve', items: [] });
  await lost;
  proxy.heal();
  expect(await outcome).toBe(true);
});

test('claims whose answer got lost go back to the queue', async () => {
  await accept(direct);
  const lost = proxy.loseAnswerTo('claim');
  const outcome = remote.queue.claim({ pool: 'default', runner: 'runner-1', limit: 1, leaseMs: 300 });
  await lost;
  proxy.heal();
  expect((await outcome).claims).toEqual([]);
  await eventually(async () => {
    await remote.queue.renew({ runner: 'runner-1', leases: [], leaseMs: 300 });
    expect(await claimOne(remote, 'runner-2')).toMatchObject({ fence: 2, crashes: 0 });
  });
});

test('a runner whose answers do not arrive gives up before anybody takes its work over, and can write nothing afterwards', async () => {
  const id = await accept(direct);
  const claim = await claimOne(remote, 'runner-1', 2000);
  let expired = false;
  const keeper = new LeaseKeeper('runner-1', 2000, {
    renew: async (options) => remote.queue.renew(options),
    leases: () => [claim],
    load: () => ({ slots: 1, busy: 1, started: 1, ended: 0, busyMs: 0 }),
    onRenewed: () => undefined,
    onExpired: () => { expired = true; },
    monotonic: () => performance.now(),
  });
  keeper.start();
  proxy.freeze('answers');
  const next = await eventually(async () => {
    await direct.queue.renew({ runner: 'runner-2', leases: [] });
    const taken = await claimOne(direct, 'runner-2');
    expect(expired).toBe(true);
    return taken;
  });
  keeper.stop();
  expect(next).toMatchObject({ executionId: id, fence: 2, crashes: 1 });
  proxy.heal();
  proxy.cut();
  proxy.heal();
  expect(await remote.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }])).toEqual([id]);
  expect(await direct.queue.finish([{ ...next, result: succeeded(), save: KEEP_ALL }])).toEqual([]);
}, 60_000);

test('a store that cannot reach PostgreSQL says so, and works again afterwards; listeners are told to look', async () => {
  const heard: string[] = [];
  const stop = await remote.notifications.on('millrace_work_default', ({ kind }) => heard.push(kind));
  proxy.cut();
  expect(await remote.health()).toMatchObject({ ok: false });
  await expect(remote.queue.stats('default')).rejects.toMatchObject({ code: 'StoreUnavailable', transient: true });
  proxy.heal();
  await eventually(async () => { expect(await remote.health()).toMatchObject({ ok: true }); });
  await eventually(() => { expect(heard).toEqual(['connected', 'connected']); });
  await accept(direct);
  await eventually(() => { expect(heard.at(-1)).toBe('message'); });
  await stop();
}, 180_000);

test('a network that swallows everything breaks calls in bounded time', async () => {
  const pending = remote.queue.stats('default');
  await pending;
  proxy.freeze();
  const start = performance.now();
  const outcome = remote.queue.stats('default').then(() => 'answered', (error: { code: string }) => error.code);
  expect(await remote.health()).toMatchObject({ ok: false, code: 'StoreTimeout' });
  expect(await outcome).toBe('StoreUnavailable');
  expect(performance.now() - start).toBeLessThan(30_000);
}, 180_000);

const BATCH = 5;

test('kill -9 of PostgreSQL under load: everything acknowledged is there, once', async () => {
  const acknowledged: string[] = [];
  const stop = new AbortController();
  // A server that takes longer to recover than a call is tried again leaves the caller without an answer: accepted or not, nobody said so.
  let unanswered = 0;
  const again = async (call: () => Promise<void>): Promise<void> => {
    while (!stop.signal.aborted) {
      await call().catch((error: unknown) => {
        if (!(error instanceof StoreError && error.transient)) throw error;
        unanswered += 1;
      });
    }
  };
  const writers = Array.from({ length: 4 }, () => again(async () => {
    const outcomes = await direct.queue.enqueue(Array.from({ length: BATCH }, () => request()));
    acknowledged.push(...outcomes.map((outcome) => (outcome.accepted ? outcome.id : 'refused')));
  }));
  const finished: string[] = [];
  const worker = again(async () => {
    const { claims } = await direct.queue.claim({ pool: 'default', runner: 'runner-1', limit: 10 });
    const lost = await direct.queue.finish(claims.map((claim) => ({ ...claim, result: succeeded() })));
    finished.push(...claims.map(({ executionId }) => executionId).filter((id) => !lost.includes(id)));
  });
  for (let n = 0; n < 3; n += 1) {
    const before = acknowledged.length;
    await eventually(() => { expect(acknowledged.length).toBeGreaterThan(before + 300); }, { withinMs: 120_000 });
    await (n === 2 ? postgres.shutdown() : postgres.kill());
    await postgres.start();
  }
  stop.abort();
  await Promise.all([...writers, worker]);
  expect(acknowledged).not.toContain('refused');
  expect(new Set(acknowledged).size).toBe(acknowledged.length);
  // Claims whose answers got lost in a crash come back once their lease is over.
  await direct.queue.leave('runner-1');
  for (let done = false; !done;) {
    const { claims } = await direct.queue.claim({ pool: 'default', runner: 'runner-2', limit: 200 });
    await direct.queue.finish(claims.map((claim) => ({ ...claim, result: succeeded() })));
    done = claims.length === 0;
  }
  const ids: string[] = [];
  for (let cursor: string | undefined = 'first'; cursor !== undefined;) {
    const page: Awaited<ReturnType<Store['executions']['list']>> = await direct.executions.list({ limit: 200, cursor });
    ids.push(...page.executions.map(({ id }) => id));
    cursor = page.next;
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual(expect.arrayContaining(acknowledged));
  expect(ids.length).toBeLessThanOrEqual(acknowledged.length + unanswered * BATCH);
  expect(acknowledged).toEqual(expect.arrayContaining(finished));
  expect(await count()).toBe(0);
}, 600_000);
