import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Postgres } from '../postgres/postgres.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { KEEP_ALL, accept, claimOne, newStore, publish, request, succeeded } from '../postgres/test-store.ts';

jest.setTimeout(120_000);

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterAll(() => postgres.stop());

test('a pool knows what its runners said when they renewed, and counts for those that said nothing', async () => {
  const { store } = await newStore(postgres);
  await publish(store);
  await accept(store);
  await accept(store);
  const claim = await claimOne(store, 'pod-1/a');
  expect(await store.queue.stats('default')).toMatchObject({
    ready: 1, running: 1, runners: 1, reports: [{ name: 'pod-1/a', slots: 0, busy: 1, started: 0, ended: 0, busyMs: 0 }],
  });

  await store.queue.renew({ runner: 'pod-1/a', leases: [claim], load: { slots: 40, busy: 1, started: 7, ended: 6, busyMs: 1234.5 } });
  const reports = [{ name: 'pod-1/a', slots: 40, busy: 1, started: 7, ended: 6, busyMs: 1234.5 }];
  expect(await store.queue.stats('default')).toMatchObject({ running: 1, reports });
  await store.queue.renew({ runner: 'pod-1/a', leases: [claim] });
  expect(await store.queue.stats('default')).toMatchObject({ reports });

  await store.queue.finish([{ executionId: claim.executionId, fence: claim.fence, result: succeeded(), save: KEEP_ALL }]);
  await store.queue.leave('pod-1/a');
  expect(await store.queue.stats('default')).toMatchObject({ ready: 1, running: 0, runners: 0, reports: [] });
  await store.close();
});

test('the longest wait is that of the next in any namespace, whatever the priorities', async () => {
  const { store } = await newStore(postgres);
  await publish(store, { namespace: 'a' });
  await publish(store, { namespace: 'b', uid: 'uid-2' });
  await accept(store, { namespace: 'b', priority: 1 });
  await new Promise((resolve) => { setTimeout(resolve, 150); });
  await accept(store, { namespace: 'a', priority: 9 });
  const { oldestReadyMs } = await store.queue.stats('default');
  expect(oldestReadyMs).toBeGreaterThan(149);
  expect(oldestReadyMs).toBeLessThan(30_000);
  await store.close();
});

test('a long queue is estimated', async () => {
  const { store } = await newStore(postgres);
  await publish(store);
  await publish(store, { namespace: 'b', uid: 'uid-2', pool: 'other' });
  const fill = async (namespace: string, count: number): Promise<void> => {
    for (let left = count; left > 0; left -= 2000) await store.queue.enqueue(Array.from({ length: 2000 }, () => request({ namespace })));
  };
  await fill('shop', 16_000);
  await fill('b', 4000);
  const { ready } = await store.queue.stats('default');
  expect(ready).toBeGreaterThan(8000);
  expect(ready).toBeLessThan(32_000);
  expect(await store.queue.stats('other')).toMatchObject({ ready: 4000 });
  await store.close();
});
