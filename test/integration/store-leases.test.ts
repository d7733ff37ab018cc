import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { accept, claimOne, KEEP_ALL, newStore, nodeRun, publish, request, succeeded } from '../postgres/test-store.ts';
import { eventually } from '../eventually.ts';

const RESPONSE = { status: 200, headers: {}, body: 'ok', encoding: 'utf8' } as const;

let postgres: Postgres;
let store: Store;
let url: string;

beforeAll(async () => { postgres = await startPostgres(); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);
beforeEach(async () => {
  ({ store, url } = await newStore(postgres));
  await publish(store);
});
afterEach(async () => store.close());

/** Lets every lease run out, as if its runner had died that long ago. */
async function expireLeases(): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("UPDATE millrace.runner SET expires_at = now() - interval '1 ms'");
  await client.query("UPDATE millrace.queue SET claimed_at = claimed_at - interval '1 minute'");
  await client.end();
}

async function statusOf(id: string): Promise<string | undefined> {
  return (await store.executions.get(id))?.status;
}

/** Every write that needs a lease, with the ids it reported as lost. */
async function writeAll(lease: Lease): Promise<Record<string, string[]>> {
  const { queue } = store;
  return {
    checkpoint: await queue.checkpoint([{ ...lease, checkpoint: { sequence: 9, runs: [nodeRun({ node: 'Stale' })], recordings: [] } }]),
    respond: await queue.respond([{ ...lease, response: { ...RESPONSE, body: 'stale' } }]),
    wait: await queue.wait([{ ...lease, wait: { node: 'Start', on: 'webhook' } }]),
    crash: await queue.crash([{ ...lease, reason: 'Stale' }]),
    finish: await queue.finish([{ ...lease, result: succeeded({ runs: [nodeRun({ node: 'Stale' })] }), save: KEEP_ALL }]),
    renew: (await queue.renew({ runner: 'runner-1', leases: [lease] })).lost,
  };
}

test('a dead runner\'s execution goes on elsewhere, from its checkpoints', async () => {
  const id = await accept(store);
  const claim = await claimOne(store, 'runner-1', 300);
  await store.queue.checkpoint([
    { ...claim, checkpoint: { sequence: 0, runs: [nodeRun({ node: 'A' })], recordings: [] } },
    { ...claim, checkpoint: { sequence: 1, runs: [nodeRun({ node: 'B' })], recordings: [{ node: 'C', runIndex: 0, reads: [1, 'x'] }] } },
  ]);
  await store.queue.respond([{ ...claim, response: RESPONSE }]);
  const next = await eventually(async () => {
    await store.queue.renew({ runner: 'runner-2', leases: [] });
    return claimOne(store, 'runner-2');
  }, { withinMs: 5000 });
  expect(next).toMatchObject({
    executionId: id, fence: 2, crashes: 1, response: RESPONSE,
    checkpoints: [{ sequence: 0, runs: [{ node: 'A' }] }, { sequence: 1, runs: [{ node: 'B' }], recordings: [{ node: 'C', runIndex: 0, reads: [1, 'x'] }] }],
  });
});

test('a live runner keeps what it renews', async () => {
  await accept(store);
  const claim = await claimOne(store, 'runner-1', 600);
  for (let n = 0; n < 10; n += 1) {
    expect(await store.queue.renew({ runner: 'runner-1', leases: [claim], leaseMs: 600 })).toEqual({ lost: [], canceled: [] });
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    await store.queue.renew({ runner: 'runner-2', leases: [] });
  }
  await expect(claimOne(store, 'runner-2')).rejects.toThrow('Nothing to claim');
});

test('a runner that lost its lease can write nothing', async () => {
  const id = await accept(store);
  const { executionId, fence } = await claimOne(store, 'runner-1');
  await expireLeases();
  await store.queue.renew({ runner: 'runner-2', leases: [] });
  const next = await claimOne(store, 'runner-2');
  expect(await writeAll({ executionId, fence })).toEqual({ checkpoint: [id], respond: [id], wait: [id], crash: [id], finish: [id], renew: [id] });
  expect(await store.queue.finish([{ ...next, result: succeeded(), save: KEEP_ALL }])).toEqual([]);
  expect(await store.executions.get(id)).toMatchObject({ status: 'Succeeded', attempts: 2, crashes: 1, nodes: [{ node: 'Start' }] });
});

test('nor can one between its lease\'s end and the next claim, after a release, or after the end', async () => {
  const id = await accept(store);
  const claim = await claimOne(store);
  await store.queue.release([claim]);
  const all = { checkpoint: [id], respond: [id], wait: [id], crash: [id], finish: [id], renew: [id] };
  expect(await writeAll(claim)).toEqual(all);
  const again = await claimOne(store);
  expect(again).toMatchObject({ fence: 2, crashes: 0 });
  await store.queue.finish([{ ...again, result: succeeded(), save: KEEP_ALL }]);
  // Ending it again with the same fence is the same end, told twice.
  expect(await writeAll(again)).toEqual({ ...all, finish: [] });
  expect(await statusOf(id)).toBe('Succeeded');
});

test('a takeover and a write of the old owner at the same time: one of them wins, never both', async () => {
  for (let n = 0; n < 20; n += 1) {
    const id = await accept(store);
    const claim = await claimOne(store, `old-${n}`);
    await expireLeases();
    const [lost] = await Promise.all([
      store.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }]),
      store.queue.renew({ runner: 'runner-2', leases: [] }),
    ]);
    const ended = (await statusOf(id)) === 'Succeeded';
    expect({ ended, lost }).toEqual(ended ? { ended: true, lost: [] } : { ended: false, lost: [id] });
    if (!ended) await store.queue.cancel([id]);
  }
});

test('what a runner does not list goes back: it never got the answer to its claim', async () => {
  await accept(store);
  await claimOne(store);
  await store.queue.renew({ runner: 'runner-1', leases: [] });
  await expect(claimOne(store, 'runner-2')).rejects.toThrow('Nothing to claim');
  await expireLeases();
  await store.queue.renew({ runner: 'runner-1', leases: [] });
  expect(await claimOne(store, 'runner-2')).toMatchObject({ fence: 2, crashes: 0 });
});

test('a runner that leaves hands back what it has', async () => {
  await accept(store);
  await claimOne(store);
  await store.queue.leave('runner-1');
  expect(await claimOne(store, 'runner-2')).toMatchObject({ fence: 2, crashes: 0 });
});

test('an execution that takes three runners down is buried, with the evidence', async () => {
  const id = await accept(store, { workflowRun: 'run-uid', replyTo: store.replies.address });
  const finished: string[] = [];
  const stop = await store.notifications.on('millrace_finished', (notification) => { if (notification.kind === 'message') finished.push(notification.payload); });
  await claimOne(store, 'runner-1');
  await expireLeases();
  await store.queue.renew({ runner: 'other', leases: [] });
  const second = await claimOne(store, 'runner-2');
  await store.queue.checkpoint([{ ...second, checkpoint: { sequence: 0, runs: [nodeRun()], recordings: [] } }]);
  expect(await store.queue.crash([{ ...second, reason: 'ExecutorOutOfMemory' }])).toEqual([]);
  // The third try waits a while.
  expect(await store.queue.stats('default')).toMatchObject({ ready: 0, delayed: 1 });
  const third = await eventually(async () => claimOne(store, 'runner-3'), { withinMs: 10_000, everyMs: 250 });
  expect(third).toMatchObject({ fence: 3, crashes: 2 });
  await store.queue.crash([{ ...third, reason: 'ExecutorOutOfMemory' }]);
  expect(await store.replies.wait(id, { signal: AbortSignal.timeout(5000) })).toMatchObject({ status: 'Failed', error: { code: 'ExecutionCrashed' } });
  expect(await store.executions.get(id)).toMatchObject({ status: 'Failed', crashes: 3, error: { code: 'ExecutionCrashed', message: expect.stringContaining('ExecutorOutOfMemory') } });
  await eventually(() => { expect(finished).toEqual([id]); });
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows: [letter] } = await client.query<{ crash_log: object[]; checkpoints: Buffer[]; trigger: Buffer }>('SELECT * FROM millrace.dead_letter');
  expect(letter?.crash_log).toMatchObject([
    { reason: 'RunnerLost', runner: 'runner-1', fence: 1, checkpoints: 0 },
    { reason: 'ExecutorOutOfMemory', runner: 'runner-2', fence: 2, checkpoints: 1 },
    { reason: 'ExecutorOutOfMemory', runner: 'runner-3', fence: 3, checkpoints: 1 },
  ]);
  expect(letter?.checkpoints.length).toBe(1);
  expect((await client.query('SELECT 1 FROM millrace.queue UNION ALL SELECT 1 FROM millrace.checkpoint')).rows).toEqual([]);
  await client.end();
  await stop();
}, 30_000);

test('cancel: queued work ends at once, running work when its runner hears of it', async () => {
  const [queued, running, delayed] = [await accept(store), await accept(store, { priority: 9 }), await accept(store, { delayMs: 60_000 })];
  const claim = await claimOne(store);
  expect(claim.executionId).toBe(running);
  const heard: string[] = [];
  const stop = await store.notifications.on('millrace_canceled', (notification) => { if (notification.kind === 'message') heard.push(notification.payload); });
  expect(new Set(await store.queue.cancel([queued, running, delayed]))).toEqual(new Set([queued, running, delayed]));
  expect([await statusOf(queued), await statusOf(running), await statusOf(delayed)]).toEqual(['Canceled', 'Running', 'Canceled']);
  await eventually(() => { expect(heard).toEqual([running]); });
  expect(await store.queue.renew({ runner: 'runner-1', leases: [claim] })).toEqual({ lost: [], canceled: [running] });
  await store.queue.finish([{ ...claim, result: { status: 'Canceled', runs: [] }, save: KEEP_ALL }]);
  expect(await statusOf(running)).toBe('Canceled');
  expect(await store.queue.cancel([queued, running, delayed])).toEqual([]);
  await stop();
});

test('a canceled execution whose runner dies ends as canceled', async () => {
  const id = await accept(store);
  await claimOne(store);
  await store.queue.cancel([id]);
  await expireLeases();
  await store.queue.reap();
  expect(await statusOf(id)).toBe('Canceled');
});

test('what is to be undone is not forgotten: not by a cancel, a crash of its runner, or a burial', async () => {
  const id = await accept(store);
  const claim = await claimOne(store);
  await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [{ ...nodeRun({ node: 'Book' }), undoable: true }], recordings: [] } }]);
  await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 1, runs: [], recordings: [], waiting: { node: 'Wait', runIndex: 0, wait: { on: 'webhook' } } } }]);
  await store.queue.wait([{ ...claim, wait: { node: 'Wait', on: 'webhook' } }]);
  expect(await store.queue.cancel([id])).toEqual([id]);
  expect(await store.queue.cancel([id])).toEqual([id]);
  expect(await statusOf(id)).toBe('Queued');
  const again = await claimOne(store);
  expect(again).toMatchObject({ executionId: id, canceled: true, checkpoints: [{ runs: [{ undoable: true }] }, { sequence: 1 }] });
  await expireLeases();
  await store.queue.reap();
  const third = await claimOne(store, 'runner-2');
  expect(third).toMatchObject({ executionId: id, canceled: true, crashes: 1 });
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('UPDATE millrace.queue SET crashes = 2');
  await client.end();
  await store.queue.crash([{ ...third, reason: 'ExecutorCrashed' }]);
  expect(await store.executions.get(id)).toMatchObject({ status: 'Failed', error: { code: 'ExecutionCrashed' } });
  expect(await store.deadLetters.requeue(id)).toBe(true);
  const last = await claimOne(store, 'runner-2');
  expect(last).toMatchObject({ executionId: id, canceled: true, crashes: 0 });
  await store.queue.finish([{ ...last, result: { status: 'Canceled', compensated: 1, runs: [] }, save: KEEP_ALL }]);
  expect(await store.executions.get(id)).toMatchObject({ status: 'Canceled', compensated: 1 });
}, 30_000);

test('a wait for a time goes on by itself', async () => {
  const id = await accept(store);
  const claim = await claimOne(store);
  await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [nodeRun()], recordings: [] } }]);
  expect(await store.queue.wait([{ ...claim, wait: { node: 'Pause', until: store.now() + 300 } }])).toEqual([]);
  expect(await statusOf(id)).toBe('Waiting');
  const next = await eventually(async () => claimOne(store, 'runner-2'), { withinMs: 5000 });
  expect(next).toMatchObject({ fence: 2, crashes: 0, resume: { node: 'Pause', cause: 'timeout' }, checkpoints: [{ sequence: 0 }] });
});

test('a wait for a call goes on once, with what the call brought; or when its time is up', async () => {
  const id = await accept(store);
  const first = await claimOne(store);
  await store.queue.wait([{ ...first, wait: { node: 'Approve', on: 'webhook' } }]);
  await expect(claimOne(store)).rejects.toThrow('Nothing to claim');
  expect(await store.queue.resume({ executionId: id, node: 'Other', items: [] })).toBe(false);
  const calls = await Promise.all([1, 2].map(async (n) => store.queue.resume({ executionId: id, node: 'Approve', items: [{ json: { n } }] })));
  expect(calls.filter(Boolean).length).toBe(1);
  const second = await claimOne(store);
  expect(second.resume).toMatchObject({ node: 'Approve', cause: 'call', items: [{ json: { n: expect.any(Number) } }] });
  await store.queue.wait([{ ...second, wait: { node: 'Again', on: 'form', until: store.now() + 200 } }]);
  expect(await statusOf(id)).toBe('Waiting');
  const third = await eventually(async () => claimOne(store), { withinMs: 5000 });
  expect(third.resume).toEqual({ node: 'Again', cause: 'timeout' });
  expect(await store.queue.resume({ executionId: id, node: 'Again', items: [] })).toBe(false);
});

test('a deadline counts from the first start, across owners', async () => {
  await publish(store, { timeoutMs: 500 });
  await accept(store);
  const first = await claimOne(store);
  expect(first.remainingMs).toBe(500);
  await new Promise((resolve) => { setTimeout(resolve, 60); });
  await store.queue.release([first]);
  const second = await claimOne(store);
  expect(second.remainingMs).toBeLessThanOrEqual(440);
});

test('writes of one batch stand or fall each by itself', async () => {
  const ids = [await accept(store), await accept(store), await accept(store)];
  const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 3 });
  const [a, b, c] = claims;
  if (a === undefined || b === undefined || c === undefined) throw new Error('Three claims were expected');
  await store.queue.release([b]);
  expect(await store.queue.finish([a, b, c].map((claim) => ({ ...claim, result: succeeded(), save: KEEP_ALL })))).toEqual([b.executionId]);
  expect(await store.queue.checkpoint([])).toEqual([]);
  expect((await store.executions.list({ status: 'Succeeded' })).executions.map(({ id }) => id).sort()).toEqual(ids.filter((id) => id !== b.executionId).sort());
  expect(await store.queue.enqueue([])).toEqual([]);
  expect((await store.queue.enqueue([request()])).length).toBe(1);
});

test('what ended a wait does not end the next one, although the runner died before it parked the execution', async () => {
  const id = await accept(store);
  await store.queue.wait([{ ...await claimOne(store), wait: { node: 'First', on: 'webhook' } }]);
  await store.queue.resume({ executionId: id, node: 'First', items: [{ json: { n: 1 } }] });
  const second = await claimOne(store);
  expect(second.resume).toMatchObject({ node: 'First' });
  await store.queue.checkpoint([{ ...second, checkpoint: { sequence: 0, runs: [nodeRun()], recordings: [] } }]);
  await store.queue.release([second]);
  const third = await claimOne(store);
  expect(third.resume).toMatchObject({ node: 'First' });
  await store.queue.checkpoint([{ ...third, checkpoint: { sequence: 1, runs: [], recordings: [], waiting: { node: 'Second', runIndex: 0, wait: { on: 'webhook' } } } }]);
  await store.queue.release([third]);
  expect((await claimOne(store)).resume).toBeUndefined();
});

test('an execution that waits for the pods of several branches goes on with the first node whose pods are all over', async () => {
  const id = await accept(store);
  const pod = (char: string) => ({ id: char.repeat(20), item: 0, spec: {} });
  const first = await claimOne(store);
  expect(await store.podSteps.request({ lease: first, node: 'A', requests: [pod('a'), pod('b')] })).toBeUndefined();
  expect(await store.podSteps.request({ lease: first, node: 'B', requests: [pod('c')] })).toBeUndefined();
  await store.queue.wait([{ ...first, wait: { node: 'B', on: 'pods' } }]);
  const isWoken = async (): Promise<boolean> => {
    await store.podSteps.settle();
    return (await store.executions.get(id))?.status === 'Queued';
  };
  await store.podSteps.finish('a'.repeat(20), { attempts: 1 });
  expect(await isWoken()).toBe(false);
  await store.podSteps.finish('b'.repeat(20), { attempts: 1 });
  expect(await isWoken()).toBe(true);
  await store.queue.wait([{ ...await claimOne(store), wait: { node: 'B', on: 'pods' } }]);
  expect(await isWoken()).toBe(false);
  await store.podSteps.finish('c'.repeat(20), { attempts: 1 });
  expect(await isWoken()).toBe(true);
});
