import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Arbitrary, array, assert, asyncProperty, dictionary, jsonValue, string } from 'fast-check';
import type { JsonObject } from '../../runner/engine/item.ts';
import { firstIdAt } from '../../store/execution-id.ts';
import type { RouteListener } from '../../store/route.ts';
import { openStore, type Store } from '../../store/store.ts';
import { type Postgres, startPostgres } from '../postgres/postgres.ts';
import { accept, claimOne, KEEP_ALL, newStore, nodeRun, publish, request, succeeded } from '../postgres/test-store.ts';
import { eventually } from '../eventually.ts';

let postgres: Postgres;
let store: Store;
let url: string;

beforeAll(async () => { postgres = await startPostgres(); }, 180_000);
afterAll(async () => postgres.stop(), 180_000);
beforeEach(async () => { ({ store, url } = await newStore(postgres)); });
afterEach(async () => store.close());

/** Runs everything that is queued and ends it with the result that `resultOf` gives for the node it starts at. */
async function runAll(resultOf = (_node: string): Parameters<Store['queue']['finish']>[0][number]['result'] => succeeded()): Promise<void> {
  for (;;) {
    const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 100 });
    if (claims.length === 0) return;
    await store.queue.finish(claims.map((claim) => ({ ...claim, result: resultOf(claim.trigger.node ?? '') })));
  }
}

test.each([
  { keep: 'All', nodes: 1, hasItems: true, runs: 1 },
  { keep: 'Summary', nodes: 1, hasItems: false, runs: 0 },
] as const)('kept $keep: node runs $nodes, with items $runs', async ({ keep, nodes, hasItems, runs }) => {
  await publish(store, { save: { success: keep, failure: 'None' } });
  const id = await accept(store);
  await runAll();
  const detail = await store.executions.get(id);
  expect(detail).toMatchObject({ status: 'Succeeded', hasItems, lastNode: 'Start', counts: { succeeded: 1, failed: 0 } });
  expect(detail?.nodes.length).toBe(nodes);
  expect(detail?.nodes[0]).toEqual({ node: 'Start', runIndex: 0, status: 'success', startedAt: 1000, durationMs: 2, items: [1] });
  expect((await store.executions.nodeRuns(id)).length).toBe(runs);
});

test('kept None: not shown, yet its end and its answer reach those who asked', async () => {
  await publish(store, { save: { success: 'None', failure: 'All' } });
  const id = await accept(store, { replyTo: store.replies.address });
  const reply = store.replies.wait(id, { signal: AbortSignal.timeout(5000) });
  await runAll(() => succeeded({ response: { status: 201, headers: { a: 'b' }, body: 'done', encoding: 'utf8' } }));
  expect(await reply).toMatchObject({ status: 'Succeeded', response: { status: 201, body: 'done' } });
  expect(await store.executions.statuses([id])).toMatchObject([{ id, status: 'Succeeded' }]);
  expect(await store.executions.get(id)).toBeUndefined();
  expect(await store.executions.list({})).toEqual({ executions: [] });
});

test('answers: early ones at once, the end when it is asked for, also to those who come late', async () => {
  await publish(store);
  const id = await accept(store, { replyTo: store.replies.address });
  const signal = AbortSignal.timeout(5000);
  const early = store.replies.wait(id, { signal });
  const end = store.replies.wait(id, { signal, until: 'finished' });
  const claim = await claimOne(store);
  await store.queue.respond([{ ...claim, response: { status: 202, headers: {}, body: 'soon', encoding: 'utf8' } }]);
  expect(await early).toEqual({ executionId: id, status: 'Running', response: { status: 202, headers: {}, body: 'soon', encoding: 'utf8' } });
  await store.queue.finish([{ ...claim, result: { status: 'Failed', runs: [], error: { code: 'Broken', message: 'It broke' } }, save: KEEP_ALL }]);
  expect(await end).toMatchObject({ status: 'Failed', response: { status: 202 }, error: { code: 'Broken' } });
  expect(await store.replies.wait(id, { signal })).toMatchObject({ status: 'Failed' });
  const abort = new AbortController();
  const never = store.replies.wait('01900000-0000-7000-8000-000000000000', { signal: abort.signal });
  abort.abort(new Error('Gave up'));
  await expect(never).rejects.toThrow('Gave up');
});

test('lists: by namespace, workflow, status and time, newest first, page by page', async () => {
  await publish(store);
  await publish(store, { workflow: 'returns' });
  await publish(store, { namespace: 'bank', workflow: 'transfers' });
  const at = (namespace: string, workflow: string, node: string) => request({ namespace, workflow, trigger: { node, items: [] } });
  const requests = Array.from({ length: 30 }, (_, n) => at(n % 5 === 0 ? 'bank' : 'shop', n % 5 === 0 ? 'transfers' : ['orders', 'returns'][n % 2] ?? '', n % 10 === 0 ? 'bad' : 'good'));
  const ids = (await store.queue.enqueue(requests)).map((outcome) => (outcome.accepted ? outcome.id : ''));
  expect([...ids].sort()).toEqual(ids);
  await runAll((node) => (node === 'bad' ? { status: 'Failed', runs: [], error: { code: 'Bad', message: 'Bad' } } : succeeded()));
  const waiting = await accept(store);
  const newestFirst = (test: (n: number) => boolean): string[] => ids.filter((_, n) => test(n)).reverse();
  const list = async (filter: Parameters<Store['executions']['list']>[0]): Promise<string[]> => (await store.executions.list(filter)).executions.map(({ id }) => id);
  expect(await list({})).toEqual([waiting, ...newestFirst(() => true)]);
  expect(await list({ namespace: 'shop' })).toEqual([waiting, ...newestFirst((n) => n % 5 !== 0)]);
  expect(await list({ namespace: 'bank' })).toEqual(newestFirst((n) => n % 5 === 0));
  expect(await list({ namespace: 'shop', workflow: 'returns' })).toEqual(newestFirst((n) => n % 5 !== 0 && n % 2 === 1));
  expect(await list({ status: 'Failed' })).toEqual(newestFirst((n) => n % 10 === 0));
  expect(await list({ namespace: 'bank', status: 'Failed' })).toEqual(newestFirst((n) => n % 10 === 0));
  expect(await list({ namespace: 'bank', status: 'Succeeded' })).toEqual(newestFirst((n) => n % 5 === 0 && n % 10 !== 0));
  expect(await list({ status: 'Queued' })).toEqual([waiting]);
  expect(await list({ since: store.now() + 60_000 })).toEqual([]);
  expect((await list({ since: store.now() - 60_000, limit: 3 })).length).toBe(3);
  const pages: string[] = [];
  for (let cursor: string | undefined = firstIdAt(store.now() + 1000); cursor !== undefined;) {
    const page: Awaited<ReturnType<Store['executions']['list']>> = await store.executions.list({ limit: 7, cursor });
    pages.push(...page.executions.map(({ id }) => id));
    cursor = page.next;
  }
  expect(pages).toEqual([waiting, ...newestFirst(() => true)]);
});

test('any JSON comes back as it went in, through every column that holds some', async () => {
  await publish(store);
  const json = dictionary(string({ unit: 'binary' }).filter((key) => key !== '__proto__'), jsonValue({ stringUnit: 'binary' })) as Arbitrary<JsonObject>;
  await assert(asyncProperty(array(json, { minLength: 1, maxLength: 5 }), async (objects) => {
    const plain = JSON.parse(JSON.stringify(objects)) as JsonObject[];
    const items = plain.map((object) => ({ json: object }));
    const [first = {}] = plain;
    const id = await accept(store, { trigger: { items } });
    const claim = await claimOne(store);
    expect(claim.trigger.items).toEqual(items);
    const run = nodeRun({ outputs: [items, null] });
    await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [run], recordings: [{ node: 'X', runIndex: 0, reads: plain }] } }]);
    await store.queue.release([claim]);
    const again = await claimOne(store);
    expect(again.checkpoints).toEqual([{ sequence: 0, runs: [run], recordings: [{ node: 'X', runIndex: 0, reads: plain }] }]);
    const staticData = { global: first, nodes: { Start: first, 'n\u0000': first } };
    await store.queue.finish([{ ...again, result: succeeded({ runs: [run], staticData }), save: KEEP_ALL }]);
    expect(await store.executions.nodeRuns(id)).toEqual([run]);
    await accept(store);
    const next = await claimOne(store);
    expect(next.staticData).toEqual({ global: first, nodes: { Start: first, 'n\u{fffd}': first } });
    await store.queue.finish([{ ...next, result: succeeded(), save: KEEP_ALL }]);
  }), { numRuns: 40 });
}, 180_000);

test.each(['\u0000', 'a\u0000b', '\ud800', '😀', '\u2028', "'; DROP TABLE millrace.queue; --", '\\x00', '{"', '\u{10ffff}'])('the text %j is kept, in names, keys and items', async (text) => {
  await publish(store);
  const id = await accept(store, { trigger: { node: text, items: [{ json: { [text]: text } }] }, idempotencyKey: `key-${text}` });
  const claim = await claimOne(store);
  expect(claim.trigger).toEqual({ node: text, items: [{ json: { [text]: text } }] });
  const result = succeeded({ status: 'Failed', lastNode: text, error: { code: 'E', message: text, node: text }, runs: [nodeRun({ node: text })] });
  expect(await store.queue.finish([{ ...claim, result, save: KEEP_ALL }])).toEqual([]);
  expect(await store.executions.get(id)).toMatchObject({ lastNode: text, error: { code: 'E', message: text, node: text }, nodes: [{ node: text }] });
});

test('a payload of 5 MB goes through trigger, checkpoint and history', async () => {
  await publish(store);
  const items = Array.from({ length: 5300 }, (_, n) => ({ json: { n, text: String(Math.sin(n)).repeat(50) } }));
  expect(JSON.stringify(items).length).toBeGreaterThan(5_000_000);
  const id = await accept(store, { trigger: { items } });
  const claim = await claimOne(store);
  expect(claim.trigger.items).toEqual(items);
  const run = nodeRun({ outputs: [items] });
  await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [run], recordings: [] } }]);
  await store.queue.finish([{ ...claim, result: succeeded({ runs: [run] }), save: KEEP_ALL }]);
  expect(await store.executions.nodeRuns(id, { node: 'Start', runIndex: 0 })).toEqual([run]);
  expect(await store.executions.nodeRuns(id, { node: 'Other' })).toEqual([]);
}, 180_000);

test('a result that cannot be stored fails by itself, not its neighbours', async () => {
  await publish(store);
  const [bad, good] = [await accept(store), await accept(store)];
  const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 2 });
  const run = nodeRun({ outputs: [[{ json: { big: 1n } }]] });
  await store.queue.finish(claims.map((claim) => ({ ...claim, result: claim.executionId === bad ? succeeded({ runs: [run] }) : succeeded(), save: KEEP_ALL })));
  expect(await store.executions.get(bad)).toMatchObject({ status: 'Failed', error: { code: 'PayloadRefused' }, hasItems: false, nodes: [{ items: [1] }] });
  expect(await store.executions.get(good)).toMatchObject({ status: 'Succeeded' });
  await expect(store.queue.enqueue([request({ trigger: { items: [{ json: { big: 1n } }] } })])).rejects.toMatchObject({ code: 'PayloadRefused' });
});

test('webhooks: one owner per namespace, method and path; the loser keeps its earlier route', async () => {
  const hook = (path: string) => ({ kind: 'Webhook', node: 'W', method: 'POST', path, responseMode: 'lastNode', options: {} } as const);
  const owner = await publish(store, { triggers: [hook('orders/:id')] });
  const loser = await publish(store, { workflow: 'thief', triggers: [hook('mine')] });
  expect(await store.routes.apply({ ...loser, triggers: [hook('mine'), hook('orders/:number')] })).toMatchObject({
    changed: false, conflicts: [{ method: 'POST', path: 'orders/:', owner: { namespace: 'shop', workflow: 'orders' } }],
  });
  expect((await store.routes.get(loser))?.triggers).toEqual([hook('mine')]);
  expect((await publish(store, { namespace: 'bank', triggers: [hook('orders/:id')] })).triggers.length).toBe(1);
  expect((await store.routes.get({ namespace: 'bank', workflow: 'orders' }))?.active).toBe(true);
  await store.routes.apply({ ...owner, active: false });
  expect(await store.routes.apply({ ...loser, triggers: [hook('orders/:number')] })).toMatchObject({ changed: true, conflicts: [] });
  expect(await store.routes.apply({ ...loser, triggers: [hook('orders/:number')] })).toMatchObject({ changed: false, conflicts: [] });
  expect(await store.routes.remove({ ...loser, uid: 'another' })).toBe(false);
  expect(await store.routes.remove(loser)).toBe(true);
  expect(await store.routes.apply(owner)).toMatchObject({ changed: true, conflicts: [] });
  await expect(store.routes.apply({ ...owner, stable: 'a'.repeat(64) })).rejects.toMatchObject({ code: 'RevisionNotFound' });
});

test('a cache of routes follows every change, from any replica', async () => {
  const other = await openStore({ url, applicationName: 'other' });
  const cache = new Map<string, number>();
  const listener: RouteListener = {
    replace(routes) { cache.clear(); for (const route of routes) cache.set(route.workflow, route.priority); },
    put(route) { cache.set(route.workflow, route.priority); },
    drop({ workflow }) { cache.delete(workflow); },
  };
  const first = await publish(other);
  const stop = await store.routes.watch(listener);
  expect(cache).toEqual(new Map([['orders', 5]]));
  await publish(other, { workflow: 'second', priority: 1 });
  await other.routes.apply({ ...first, priority: 9 });
  await eventually(() => { expect(cache).toEqual(new Map([['orders', 9], ['second', 1]])); });
  await other.routes.remove(first);
  await eventually(() => { expect(cache).toEqual(new Map([['second', 1]])); });
  await stop();
  await other.close();
});

test('revisions: equal content is one, and goes only when nothing needs it', async () => {
  const { stable: v1 } = await publish(store, { version: '1' });
  const id = await accept(store);
  const { stable: v2 } = await publish(store, { version: '2' });
  const { stable: v3 } = await publish(store, { version: '3' });
  expect((await publish(store, { version: '3' })).stable).toBe(v3);
  const prune = async (): Promise<number> => store.revisions.prune({ keep: 1, retireMs: 0 });
  expect([await prune(), await prune(), await prune()]).toEqual([0, 1, 0]);
  expect(await store.revisions.get(v2)).toBeUndefined();
  expect(await store.revisions.get(v1)).toMatchObject({ name: '1' });
  expect((await claimOne(store)).executionId).toBe(id);
  const claim = { executionId: id, fence: 1 };
  await store.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }]);
  await prune();
  // Retired: refused to new executions although its row is still there, and there again once it is put again.
  expect(await store.queue.enqueue([request({ revision: v1 })])).toEqual([{ accepted: false, reason: 'RevisionNotFound' }]);
  await publish(store, { version: '1' });
  expect((await store.queue.enqueue([request({ revision: v1 })]))[0]).toMatchObject({ accepted: true, revision: v1 });
  expect(await store.revisions.get('nonsense')).toBeUndefined();
});
