import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Schedule } from '../../runner/nodes/schedule-trigger/schedule.ts';
import type { StoredSchedule } from '../../store/schedules.ts';
import { MemoryStore } from '../testdata/memory-store.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';

const spec: Schedule = { rules: [{ cron: '0 9 * * *' }], timezone: 'Europe/Berlin', misfire: 'latest', misfireLimit: 100, jitterMs: 0 };
const stored: StoredSchedule = { namespace: 'shop', workflow: 'orders', node: 'Daily', spec, anchor: Date.parse('2026-01-01T00:00:00Z'), cursor: Date.parse('2026-03-28T12:00:00Z'), fired: 3, missed: 1 };

let server: TestServer;
let schedules: StoredSchedule[];

beforeEach(async () => {
  schedules = [stored];
  const memory = new MemoryStore();
  Object.assign(memory.parts, { schedules: { list: async () => ({ schedules }) }, now: () => Date.parse('2026-06-01T00:00:00Z') });
  server = await startTestServer({}, memory);
});
afterEach(() => server.stop());

async function call(path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.url}/api/v1/namespaces/shop${path}`, {
    headers: { authorization: 'Bearer reader', 'content-type': 'application/json' }, ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

test('shows schedules with their next tick, in the timezone of the workflow', async () => {
  expect(await call('/schedules')).toEqual({
    status: 200,
    body: { items: [{ namespace: 'shop', workflow: 'orders', node: 'Daily', timezone: 'Europe/Berlin', misfire: 'latest', fired: 3, missed: 1, since: '2026-01-01T00:00:00.000Z', next: '2026-03-29T07:00:00.000Z' }] },
  });
});

test('a backfill starts what a dry run lists: the ticks of the span, oldest first, each under its own key', async () => {
  const span = { from: '2026-03-28T08:00:00Z', to: '2026-03-30T07:00:00Z' };
  const ticks = ['2026-03-28T08:00:00.000Z', '2026-03-29T07:00:00.000Z'];
  expect(await call('/workflows/orders/backfill', { ...span, dryRun: true })).toEqual({ status: 202, body: { items: ticks.map((tick) => ({ node: 'Daily', tick })) } });
  expect(server.memory.accepted).toEqual([]);
  expect(await call('/workflows/orders/backfill', span)).toMatchObject({ status: 202, body: { items: ticks.map((tick, index) => ({ node: 'Daily', tick, id: `e${index}`, duplicate: false })) } });
  expect(server.memory.accepted).toMatchObject(ticks.map((tick) => ({
    namespace: 'shop', workflow: 'orders', mode: 'Schedule', priority: 0, idempotencyKey: `schedule/Daily/${tick}`, trigger: { node: 'Daily' },
  })));
});

test.each([
  { name: 'a span that ends before it begins', body: { from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' }, want: { status: 400, body: { error: { code: 'InvalidRequest' } } } },
  { name: 'the future', body: { from: '2026-03-02T00:00:00Z', to: '2027-03-01T00:00:00Z' }, want: { status: 400, body: { error: { code: 'InvalidRequest' } } } },
  { name: 'a node that is no schedule', body: { from: '2026-03-02T00:00:00Z', to: '2026-03-03T00:00:00Z', node: 'Other' }, want: { status: 404, body: { error: { code: 'ScheduleNotFound' } } } },
  { name: 'more than a thousand ticks', body: { from: '2020-01-01T00:00:00Z', to: '2026-03-03T00:00:00Z' }, want: { status: 422, body: { error: { code: 'BackfillTooLarge' } } } },
])('refuses $name', async ({ body, want }) => {
  expect(await call('/workflows/orders/backfill', body)).toMatchObject(want);
  expect(server.memory.accepted).toEqual([]);
});
