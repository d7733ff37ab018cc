import { expect, test } from '@jest/globals';
import type { Execution } from '../../../store/executions.ts';
import type { NotificationHandler } from '../../../store/notifications.ts';
import { silentLog } from '../../kube/index.ts';
import { manualClock } from '../../kube/manual-clock.ts';
import { ExecutionTracker } from './execution-tracker.ts';

const queued = { id: 'e', namespace: 'shop', workflow: 'orders', status: 'Queued', createdAt: 0 } as Execution;

async function tracked() {
  const clock = manualClock();
  let [now, hear]: [Execution, NotificationHandler] = [queued, () => undefined];
  const reports: string[] = [];
  const tracker = new ExecutionTracker({
    executions: { statuses: async () => [now] }, clock, log: silentLog,
    notifications: { send: () => undefined, on: async (_, handler) => { hear = handler; return async () => undefined; } },
  });
  tracker.watch.start({ enqueue: (key) => { reports.push(`${key} ${now.status}`); }, failed: () => undefined });
  await tracker.start();
  await tracker.follow('shop/run', 'e');
  return {
    reports,
    become(change: Partial<Execution>): void { now = { ...now, ...change }; },
    look: () => clock.advance(2000),
    async finish(): Promise<void> {
      now = { ...now, status: 'Succeeded', finishedAt: 9 };
      hear({ kind: 'message', payload: 'e' });
      await clock.advance(1);
    },
  };
}

test('an execution that runs is told of once it has run for two looks', async () => {
  const { reports, become, look } = await tracked();
  await look();
  become({ status: 'Running', startedAt: 1 });
  await look();
  expect(reports).toEqual([]);
  await look();
  await look();
  expect(reports).toEqual(['shop/run Running']);
});

test('one that ends is told of at once, and only then if it was short', async () => {
  const { reports, become, look, finish } = await tracked();
  become({ status: 'Running', startedAt: 1 });
  await look();
  await finish();
  await look();
  expect(reports).toEqual(['shop/run Succeeded']);
});
