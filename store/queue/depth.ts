import { patience } from '../backoff.ts';
import type { Database, Statement } from '../database.ts';

/** What may wait for a pool that does not say. Beyond it a claim still costs the same, but the disk fills. */
export const DEFAULT_MAX_QUEUED = 1_000_000;
/** A pool that takes work is looked at so often, and no more than a twentieth of the time. */
const LOOK_MS = 500;
const REST = 20;
/** Those who were refused are asked back when so much of the limit has become free. */
const SLACK = 0.1;
const RETRY_MS = { least: 1000, most: 60_000, unknown: 15_000 } as const;

/** Waiting executions by namespace, as far as the limit goes, and how many claims of the pool have ended so far. */
const DEPTH: Statement = {
  name: 'depth',
  text: `
    WITH allowed AS (
      SELECT coalesce(min(max_queued), ${DEFAULT_MAX_QUEUED}) AS pool, min(namespace_max_queued) AS namespace FROM millrace.pool WHERE name = $1
    ), waiting AS (
      SELECT namespace, count(*) AS n FROM (
        (SELECT namespace FROM millrace.queue WHERE pool = $1 AND state = 'Ready' LIMIT (SELECT pool FROM allowed))
        UNION ALL (SELECT namespace FROM millrace.queue WHERE pool = $1 AND state = 'Blocked' LIMIT (SELECT pool FROM allowed))
        UNION ALL (SELECT namespace FROM millrace.queue WHERE pool = $1 AND state IN ('Delayed', 'Waiting') AND state = 'Delayed' LIMIT (SELECT pool FROM allowed))
      ) row GROUP BY namespace
    )
    SELECT a.pool AS max_queued, a.namespace AS namespace_max_queued, (SELECT coalesce(sum(ended), 0) FROM millrace.runner WHERE pool = $1)::float8 AS ended,
      coalesce((SELECT json_object_agg(namespace, n) FROM waiting), '{}') AS waiting
    FROM allowed a`,
};

interface Row {
  max_queued: number;
  namespace_max_queued: number | null;
  ended: number;
  waiting: Record<string, number>;
}

interface Pool {
  maxQueued: number;
  namespaceMaxQueued: number;
  total: number;
  waiting: Map<string, number>;
  /** Claims that ended, at the last look; per millisecond, between the last two. */
  ended: number;
  rate: number;
  lookedAt: number;
  lookAgainAt: number;
  looking: boolean;
}

/**
 * How full the pools are that this process enqueues to. Counting with every request would cost more than the request, so it counts now and then
 * and adds what it accepts itself: a limit may be passed by what other processes accept within about half a second.
 */
export class QueueDepth {
  readonly #database: Database;
  readonly #pools = new Map<string, Pool>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Pools, and namespaces of pools as `pool/namespace`, that take no more. */
  full(): { pools: string[]; namespaces: string[] } {
    const pools: string[] = [];
    const namespaces: string[] = [];
    for (const [name, pool] of this.#pools) {
      if (pool.total >= pool.maxQueued) pools.push(name);
      for (const [namespace, n] of pool.waiting) if (n >= pool.namespaceMaxQueued) namespaces.push(`${name}/${namespace}`);
      // Whoever is refused does not reach `accepted`, and must not be refused by an old count for ever.
      if (pools.length + namespaces.length > 0) this.#look(name, pool);
    }
    return { pools, namespaces };
  }

  /** Milliseconds until there is room again at the rate at which executions have ended of late. */
  retryMs(name: string, namespace: string): number {
    const pool = this.#pools.get(name);
    if (pool === undefined || pool.rate === 0) return RETRY_MS.unknown;
    const over = (n: number, limit: number): number => n - limit * (1 - SLACK);
    const excess = Math.max(over(pool.total, pool.maxQueued), over(pool.waiting.get(namespace) ?? 0, pool.namespaceMaxQueued), 0);
    return Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, Math.round(excess / pool.rate)));
  }

  accepted(name: string, namespace: string): void {
    const pool = this.#pools.get(name) ?? {
      maxQueued: Infinity, namespaceMaxQueued: Infinity, total: 0, waiting: new Map<string, number>(), ended: 0, rate: 0, lookedAt: 0, lookAgainAt: 0, looking: false,
    };
    this.#pools.set(name, pool);
    pool.total += 1;
    pool.waiting.set(namespace, (pool.waiting.get(namespace) ?? 0) + 1);
    this.#look(name, pool);
  }

  #look(name: string, pool: Pool): void {
    if (pool.looking || patience.elapsed() < pool.lookAgainAt) return;
    pool.looking = true;
    const start = patience.elapsed();
    // When the database cannot be asked, the next request hears of it itself.
    this.#database.query<Row>(DEPTH, [name]).then(([row]) => { if (row) this.#see(pool, row); }, () => undefined).finally(() => {
      pool.looking = false;
      pool.lookAgainAt = patience.elapsed() + Math.max(LOOK_MS, REST * (patience.elapsed() - start));
    });
  }

  #see(pool: Pool, row: Row): void {
    const now = patience.elapsed();
    // Counters begin anew with each runner.
    if (pool.lookedAt > 0 && row.ended >= pool.ended) pool.rate = (pool.rate + (row.ended - pool.ended) / (now - pool.lookedAt)) / (pool.rate === 0 ? 1 : 2);
    pool.lookedAt = now;
    pool.ended = row.ended;
    pool.maxQueued = row.max_queued;
    pool.namespaceMaxQueued = row.namespace_max_queued ?? Infinity;
    pool.waiting = new Map(Object.entries(row.waiting));
    pool.total = [...pool.waiting.values()].reduce((sum, n) => sum + n, 0);
  }
}
