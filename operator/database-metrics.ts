import { Gauge, type Registry } from 'prom-client';
import type { Overview } from '../store/overview.ts';
import type { PoolStats } from '../store/queue.ts';
import type { Store } from '../store/store.ts';

/** Scrapes that come sooner get the same figures. */
const FRESH_MS = 5000;
/** A database that says nothing for so long counts as down: a scrape may not wait for it to come back. */
const PATIENCE_MS = 2000;

export interface DatabaseMetricsOptions {
  registry: Registry;
  store: Pick<Store, 'overview'> & { queue: Pick<Store['queue'], 'stats'> };
  /** RunnerPools there are: they are shown also when they have no work. */
  pools(): string[];
  /** Milliseconds. */
  monotonic(): number;
}

interface Look extends Overview {
  stats: ReadonlyMap<string, PoolStats>;
}

type Show = (look: Look, set: (labels: Record<string, string>, value: number) => void) => void;

/**
 * What PostgreSQL knows about queue, dead letters and its own size, asked when somebody scrapes. Every replica of the operator shows it:
 * it is there as long as one of them is, and sums over replicas make no sense.
 */
export function databaseMetrics({ registry, store, pools, monotonic }: DatabaseMetricsOptions): void {
  let last: { at: number; look: Promise<Look | undefined> } | undefined;

  async function ask(): Promise<Look> {
    const overview = await store.overview();
    const names = [...new Set([...pools(), ...overview.pools])];
    const stats = await Promise.all(names.map(async (name) => [name, await store.queue.stats(name)] as const));
    return { ...overview, stats: new Map(stats) };
  }

  /** Undefined: the database does not answer. Shared by all gauges of a scrape. */
  function look(): Promise<Look | undefined> {
    if (last === undefined || monotonic() - last.at > FRESH_MS) {
      const patience = new Promise<undefined>((resolve) => { setTimeout(resolve, PATIENCE_MS, undefined).unref(); });
      last = { at: monotonic(), look: Promise.race([ask().catch(() => undefined), patience]) };
    }
    return last.look;
  }

  const gauge = (name: string, help: string, labelNames: string[], show: Show): Gauge => new Gauge({
    name, help, labelNames, registers: [registry],
    async collect() {
      const seen = await look();
      this.reset();
      if (seen) show(seen, (labels, value) => this.set(labels, value));
    },
  });
  registry.registerMetric(new Gauge({
    name: 'millrace_database_up', help: 'Whether PostgreSQL answered the operator within 2 seconds.', registers: [],
    async collect() {
      this.set((await look()) ? 1 : 0);
    },
  }));
  const byPool = (read: (stats: PoolStats) => number): Show => ({ stats }, set) => {
    for (const [pool, of] of stats) set({ pool }, read(of));
  };
  gauge('millrace_queue_executions', 'Unfinished executions: ready to start, delayed until a time or a call, or running. Long queues are estimated.', ['pool', 'state'], ({ stats }, set) => {
    for (const [pool, { ready, delayed, running }] of stats) {
      for (const [state, value] of Object.entries({ ready, delayed, running })) set({ pool, state }, value);
    }
  });
  gauge('millrace_queue_oldest_age_seconds', 'How long the execution that is next has been ready; 0 when none is.', ['pool'], byPool(({ oldestReadyMs }) => oldestReadyMs / 1000));
  gauge('millrace_queue_runners', 'Runners with a live lease.', ['pool'], byPool(({ runners }) => runners));
  gauge('millrace_queue_dead_letters', 'Executions given up because they took a runner or executor down three times, and kept for a look.', ['pool'], ({ stats, deadLetters }, set) => {
    for (const pool of stats.keys()) set({ pool }, 0);
    for (const { pool, count } of deadLetters) set({ pool }, count);
  });
  gauge('millrace_database_size_bytes', 'Size of the whole database on disk.', [], ({ bytes }, set) => set({}, bytes));
  gauge('millrace_database_table_size_bytes', 'Size of a table with its indexes; partitions are added up.', ['table'], ({ tables }, set) => {
    for (const { table, bytes } of tables) set({ table }, bytes);
  });
  gauge('millrace_database_table_partitions', 'Partitions of a table; 0: it is not partitioned.', ['table'], ({ tables }, set) => {
    for (const { table, partitions } of tables) set({ table }, partitions);
  });
}
