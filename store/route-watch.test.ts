import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Notification, Notifications } from './notifications.ts';
import { watchRoutes } from './route-watch.ts';
import type { Route } from './route.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const route = (workflow: string, epoch: number): Route => ({
  namespace: 'shop', workflow, uid: 'u', active: true, stable: 'r', weight: 0, pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [], epoch,
});

/** A table of routes, and a listener that keeps a copy of it. */
async function watching(...routes: Route[]) {
  const table = new Map(routes.map((each) => [each.workflow, each]));
  const copy = new Map<string, number>();
  let tell: (notification: Notification) => void = () => undefined;
  const notifications: Pick<Notifications, 'on'> = { on: async (_channel, listener) => { tell = listener; listener({ kind: 'connected' }); return async () => undefined; } };
  const list = jest.fn(async () => [...table.values()]);
  const stop = await watchRoutes({
    list, get: async ({ workflow }) => table.get(workflow), onError: () => undefined, notifications: notifications as Notifications,
    stamp: async () => ({ routes: table.size, epochs: [...table.values()].reduce((sum, { epoch }) => sum + epoch, 0) }),
  }, {
    replace(all) { copy.clear(); for (const { workflow, epoch } of all) copy.set(workflow, epoch); },
    put({ workflow, epoch }) { copy.set(workflow, epoch); },
    drop({ workflow }) { copy.delete(workflow); },
  });
  return { table, copy, list, stop, change: async (workflow: string, changed?: Route) => {
    if (changed) table.set(workflow, changed);
    else table.delete(workflow);
    tell({ kind: 'message', payload: `shop/${workflow}` });
    await jest.advanceTimersByTimeAsync(0);
  } };
}

test('everything is read once, then only what changes, for as long as no message is lost', async () => {
  const { copy, list, stop, change } = await watching(route('a', 1), route('b', 2));
  await change('a', route('a', 3));
  await change('b');
  await change('c', route('c', 4));
  await jest.advanceTimersByTimeAsync(300_000);
  expect([...copy]).toEqual([['a', 3], ['c', 4]]);
  expect(list).toHaveBeenCalledTimes(1);
  await stop();
});

test.each([
  { name: 'a change', lose: (table: Map<string, Route>) => table.set('a', route('a', 9)), want: [['a', 9], ['b', 2]] },
  { name: 'a removal', lose: (table: Map<string, Route>) => table.delete('b'), want: [['a', 1]] },
  { name: 'a removal and an addition', lose: (table: Map<string, Route>) => { table.delete('b'); table.set('c', route('c', 7)); }, want: [['a', 1], ['c', 7]] },
])('$name of which nothing was heard is found out within 30 s', async ({ lose, want }) => {
  const { table, copy, list, stop } = await watching(route('a', 1), route('b', 2));
  lose(table);
  await jest.advanceTimersByTimeAsync(30_000);
  expect([...copy]).toEqual(want);
  expect(list).toHaveBeenCalledTimes(2);
  await stop();
});
