import { expect, test } from '@jest/globals';
import type { RouteApplied, RouteSpec, RouteTrigger } from '../../../store/route.ts';
import { publish } from './publish.ts';
import { RouteMirror } from './route-mirror.ts';

const hook = (path: string): RouteTrigger => ({ kind: 'Webhook', node: 'Hook', method: 'POST', path, responseMode: 'onReceived', options: {} });
const route = (change: Partial<RouteSpec> = {}): RouteSpec => ({
  namespace: 'shop', workflow: 'orders', uid: 'u1', active: true, stable: 'new', pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [hook('orders')], ...change,
});
const definition = { id: 'shop/orders', name: 'orders', nodes: [], connections: [] };
const key = 'shop/orders';

/** Publishes `wanted`; both sides wait until they are told how to end. `log` is what began and ended, in order. */
function publishing(wanted: RouteSpec, inForce?: RouteSpec) {
  const mirror = new RouteMirror();
  if (inForce) mirror.put(key, { weight: 0, ...inForce, epoch: 1 });
  const log: string[] = [];
  const [stored, copied] = [Promise.withResolvers<RouteApplied>(), Promise.withResolvers<void>()];
  const begin = async <T>(what: string, ending: Promise<T>): Promise<T> => {
    log.push(`${what}…`);
    const result = await ending;
    log.push(what);
    return result;
  };
  const apply = (): Promise<RouteApplied> => begin('stored', stored.promise);
  const copy = (): Promise<void> => begin('copied', copied.promise);
  const published = publish(wanted, definition, { store: { routes: { apply } as never }, mirror, key, copy });
  // Told by the end of the test; until then nobody listens.
  published.catch(() => undefined);
  return { mirror, log, stored, copied, published };
}

const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
const applied: RouteApplied = { changed: true, epoch: 2, conflicts: [] };

test('what is in force is not stored again, and a missing copy is made', async () => {
  const { log, copied, published } = publishing(route(), route());
  copied.resolve();
  expect(await published).toBe(false);
  expect(log).toEqual(['copied…', 'copied']);
});

test.each([
  { name: 'a new revision on the same paths', inForce: route({ stable: 'old' }) },
  { name: 'fewer paths', inForce: route({ stable: 'old', triggers: [hook('orders'), hook('more')] }) },
  { name: 'a workflow without paths', inForce: undefined, wanted: route({ triggers: [] }) },
  { name: 'one that is switched off', inForce: route(), wanted: route({ active: false, triggers: [hook('other')] }) },
])('$name is stored and copied at the same time, and over when both are', async ({ inForce, wanted = route() }) => {
  const { mirror, log, stored, copied, published } = publishing(wanted, inForce);
  copied.resolve();
  await settle();
  expect(log).toEqual(['stored…', 'copied…', 'copied']);
  stored.resolve(applied);
  expect(await published).toBe(true);
  expect(mirror.get(key)).toMatchObject({ stable: 'new', epoch: 2 });
});

test.each([
  { name: 'a new path', inForce: route({ stable: 'old', triggers: [hook('before')] }) },
  { name: 'the same path, which it gave up when it was switched off', inForce: route({ active: false }) },
  { name: 'the first path', inForce: undefined },
])('$name is not copied before it is stored, nor when another workflow has it', async ({ inForce }) => {
  const { log, stored, copied, published } = publishing(route(), inForce);
  await settle();
  expect(log).toEqual(['stored…']);
  stored.resolve(applied);
  copied.resolve();
  expect(await published).toBe(true);
  expect(log).toEqual(['stored…', 'stored', 'copied…', 'copied']);

  const lost = publishing(route(), inForce);
  lost.stored.resolve({ changed: false, epoch: 1, conflicts: [{ method: 'POST', path: 'orders', owner: { namespace: 'shop', workflow: 'other' } }] });
  await expect(lost.published).rejects.toMatchObject({ reason: 'WebhookPathTaken', message: expect.stringContaining('is taken by Workflow other') });
  expect(lost.log).toEqual(['stored…', 'stored']);
  expect(lost.mirror.get(key)?.stable).toBe(inForce?.stable);
});

test.each([
  { name: 'the store', fails: ['stored'], want: 'no store' },
  { name: 'the copy', fails: ['copied'], want: 'no copy' },
  { name: 'both', fails: ['copied', 'stored'], want: 'no store' },
])('a failure of $name is thrown once the other side has ended', async ({ fails, want }) => {
  const { log, mirror, stored, copied, published } = publishing(route(), route({ stable: 'old' }));
  let over = false;
  published.catch(() => { over = true; });
  const end = { stored: () => (fails.includes('stored') ? stored.reject(new Error('no store')) : stored.resolve(applied)), copied: () => (fails.includes('copied') ? copied.reject(new Error('no copy')) : copied.resolve()) };
  const [first, last] = fails[0] === 'stored' ? [end.stored, end.copied] : [end.copied, end.stored];
  first();
  await settle();
  expect(over).toBe(false);
  last();
  await expect(published).rejects.toThrow(want);
  expect(log.filter((entry) => entry.endsWith('…'))).toHaveLength(2);
  // What is in force is known, though the pass failed.
  expect(mirror.get(key)?.stable).toBe(fails.includes('stored') ? 'old' : 'new');
});
