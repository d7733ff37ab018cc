import type { Database, Statement } from './database.ts';

/** What PostgreSQL's sessions do at one moment. */
export interface DatabaseLoad {
  /** Millrace's sessions that run a statement. */
  active: number;
  /** Those of them that wait inside PostgreSQL, and for what, such as `IO/WalSync` or `Lock/transactionid`. Most first. */
  waiting: { event: string; count: number }[];
  /** All sessions of the server, and how many it takes. */
  connections: number;
  maxConnections: number;
}

/** Our own session is not one of the active. Waits for the client are no waits of the database. */
const LOAD: Statement = {
  name: 'database-load',
  text: `
    WITH session AS (
      SELECT wait_event_type || '/' || wait_event AS event FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'millrace%' AND state = 'active' AND pid <> pg_backend_pid()
        AND coalesce(wait_event_type, '') <> 'Client'
    )
    SELECT (SELECT count(*) FROM session) AS active,
      coalesce((SELECT json_agg(w ORDER BY w.count DESC, w.event) FROM (SELECT event, count(*) AS count FROM session WHERE event IS NOT NULL GROUP BY event) w), '[]') AS waiting,
      (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
      current_setting('max_connections')::int AS "maxConnections"`,
};

export async function databaseLoad(database: Database): Promise<DatabaseLoad> {
  const [row] = await database.query<DatabaseLoad>(LOAD);
  return row ?? { active: 0, waiting: [], connections: 0, maxConnections: 0 };
}
