import type { Database, Statement } from '../database.ts';
import type { PoolStats, RunnerReport } from '../queue.ts';

/** Rows that are counted one by one; what is beyond is estimated from a sample of pages. */
const EXACT = 5000;
const SAMPLED_PAGES = 400;
const SAMPLE = `least(100, ${100 * SAMPLED_PAGES}::float8 / greatest(1, pg_relation_size('millrace.queue') / 8192))`;

/**
 * Costs the same however long the queue is. The age is that of the executions that are next in their namespaces. Runners say themselves how
 * much they run; those that have not yet are counted.
 */
const STATS: Statement = {
  name: 'stats',
  text: `
    WITH RECURSIVE tenant AS (
      (SELECT namespace FROM millrace.queue WHERE pool = $1 AND state = 'Ready' ORDER BY namespace LIMIT 1)
      UNION ALL
      SELECT (SELECT q.namespace FROM millrace.queue q WHERE q.pool = $1 AND q.state = 'Ready' AND q.namespace > tenant.namespace ORDER BY q.namespace LIMIT 1)
      FROM tenant WHERE tenant.namespace IS NOT NULL
    ), head AS (
      SELECT next.since FROM (SELECT namespace FROM tenant WHERE namespace IS NOT NULL LIMIT 200) tenant CROSS JOIN LATERAL (
        SELECT q.rank + q.priority * interval '30 s' AS since FROM millrace.queue q
        WHERE q.pool = $1 AND q.state = 'Ready' AND q.namespace = tenant.namespace ORDER BY q.rank LIMIT 20) next
    ), counted AS (
      SELECT count(*) AS n FROM (SELECT 1 FROM millrace.queue WHERE pool = $1 AND state = 'Ready' LIMIT ${EXACT}) row
    ), live AS (
      SELECT name, slots, coalesce(busy, (SELECT count(*)::int FROM millrace.queue q WHERE q.runner = r.name AND q.state = 'Running')) AS busy,
        started, ended, busy_ms AS "busyMs"
      FROM millrace.runner r WHERE pool = $1 AND expires_at >= now()
    )
    SELECT
      (SELECT CASE WHEN n < ${EXACT} THEN n ELSE (
          SELECT greatest(counted.n, count(*) * 100 / ${SAMPLE})::bigint FROM millrace.queue TABLESAMPLE SYSTEM (${SAMPLE}) WHERE pool = $1 AND state = 'Ready')
        END FROM counted)
        + (SELECT count(*) FROM (SELECT 1 FROM millrace.queue WHERE pool = $1 AND state IN ('Delayed', 'Waiting') AND run_at <= now() LIMIT ${EXACT}) row) AS ready,
      (SELECT count(*) FROM (
        SELECT 1 FROM millrace.queue WHERE pool = $1 AND state IN ('Delayed', 'Waiting') AND (run_at IS NULL OR run_at > now()) LIMIT ${EXACT}) row) AS delayed,
      (SELECT count(*) FROM (SELECT 1 FROM millrace.queue WHERE pool = $1 AND state = 'Blocked' LIMIT ${EXACT}) row) AS blocked,
      coalesce((SELECT extract(epoch FROM now() - min(since)) FROM head)::float8 * 1000, 0) AS oldest,
      coalesce((SELECT paused OR held FROM millrace.pool WHERE name = $1), false) AS paused,
      coalesce((SELECT json_agg(live ORDER BY name) FROM live), '[]') AS reports`,
};

interface Row {
  ready: number;
  delayed: number;
  blocked: number;
  oldest: number;
  paused: boolean;
  reports: RunnerReport[];
}

export function createStats(database: Database): (pool: string) => Promise<PoolStats> {
  return async (pool) => {
    const [row] = await database.query<Row>(STATS, [pool]);
    const { ready = 0, delayed = 0, blocked = 0, oldest = 0, paused = false, reports = [] } = row ?? {};
    const running = reports.reduce((sum, { busy }) => sum + busy, 0);
    return { ready, delayed, blocked, paused, running, runners: reports.length, reports, oldestReadyMs: Math.max(0, oldest) };
  };
}
