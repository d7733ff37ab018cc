import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { Overview } from '../store/overview.ts';
import type { PoolStats } from '../store/queue.ts';
import { databaseMetrics } from './database-metrics.ts';

const overview: Overview = { pools: ['orphan'], deadLetters: [{ pool: 'default', count: 2 }], bytes: 1000, tables: [{ table: 'execution', bytes: 600, partitions: 3 }] };
const stats: PoolStats = { ready: 4, delayed: 1, running: 2, oldestReadyMs: 1500, runners: 1, reports: [] } as unknown as PoolStats;

beforeEach(() => { jest.useFakeTimers(); });
afterEach(() => { jest.useRealTimers(); });

function start(ask: () => Promise<Overview>) {
  const registry = new Registry();
  let at = 0;
  let asked = 0;
  const store = { overview: () => { asked += 1; return ask(); }, queue: { stats: async () => stats } };
  databaseMetrics({ registry, store, pools: () => ['default'], monotonic: () => at });
  return { text: () => registry.metrics(), later: (ms: number) => { at += ms; }, asked: () => asked };
}

test('shows pools that are named and pools that only have work, from one look at the database per scrape', async () => {
  const world = start(async () => overview);
  const text = await world.text();
  for (const line of [
    'millrace_database_up 1', 'millrace_queue_executions{pool="default",state="ready"} 4', 'millrace_queue_executions{pool="orphan",state="running"} 2',
    'millrace_queue_oldest_age_seconds{pool="default"} 1.5', 'millrace_queue_dead_letters{pool="default"} 2', 'millrace_queue_dead_letters{pool="orphan"} 0',
    'millrace_database_table_partitions{table="execution"} 3', 'millrace_database_size_bytes 1000',
  ]) expect(text).toContain(`${line}\n`);
  await world.text();
  expect(world.asked()).toBe(1);
  world.later(6000);
  await world.text();
  expect(world.asked()).toBe(2);
});

test.each([
  { name: 'refuses', ask: async (): Promise<Overview> => { throw new Error('down'); } },
  { name: 'says nothing', ask: (): Promise<Overview> => new Promise(() => undefined) },
])('a database that $name is down, and its figures are gone instead of old', async ({ ask }) => {
  let answer = async (): Promise<Overview> => overview;
  const world = start(() => answer());
  expect(await world.text()).toContain('millrace_queue_executions{');
  answer = ask;
  world.later(6000);
  const scrape = world.text();
  await jest.advanceTimersByTimeAsync(2000);
  const text = await scrape;
  expect(text).toContain('millrace_database_up 0\n');
  expect(text).not.toContain('millrace_queue_executions{');
});
