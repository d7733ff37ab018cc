import type { Database, Statement } from '../database.ts';
import type { PoolStats } from '../queue.ts';

const STATS: Statement = {
  name: 'stats',
  text: `
    SELECT
      (SELECT count(*) FROM millrace.queue WHERE pool = $1 AND state = 'Ready')
        + (SELECT count(*) FROM millrace.queue WHERE pool = $1 AND state IN ('Delayed', 'Waiting') AND run_at <= now()) AS ready,
      (SELECT count(*) FROM millrace.queue WHERE pool = $1 AND state IN ('Delayed', 'Waiting') AND (run_at IS NULL OR run_at > now())) AS delayed,
      (SELECT count(*) FROM millrace.queue q JOIN millrace.runner r ON r.name = q.runner WHERE r.pool = $1 AND q.state = 'Running') AS running,
      (SELECT count(*) FROM millrace.runner WHERE pool = $1 AND expires_at >= now()) AS runners,
      coalesce(extract(epoch FROM now() - (SELECT min(rank + priority * interval '30 s') FROM millrace.queue WHERE pool = $1 AND state = 'Ready'))::float8 * 1000, 0) AS oldest`,
};

export function createStats(database: Database): (pool: string) => Promise<PoolStats> {
  return async (pool) => {
    const [row] = await database.query<Omit<PoolStats, 'oldestReadyMs'> & { oldest: number }>(STATS, [pool]);
    const { ready = 0, delayed = 0, running = 0, runners = 0, oldest = 0 } = row ?? {};
    return { ready, delayed, running, runners, oldestReadyMs: Math.max(0, oldest) };
  };
}
