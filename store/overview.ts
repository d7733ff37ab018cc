import type { Database, Statement } from './database.ts';

/** How much is in the database. */
export interface Overview {
  /** Pools that have work ready or runners alive, whether or not there is a RunnerPool of that name. */
  pools: string[];
  deadLetters: { pool: string; count: number }[];
  /** Of the whole database. */
  bytes: number;
  /** Millrace's tables with their indexes and out-of-row values; the partitions of one are added up. */
  tables: { table: string; bytes: number; partitions: number }[];
}

/** Jumps through the index from pool to pool, however long the queue is. */
const POOLS: Statement = {
  name: 'overview-pools',
  text: `
    WITH RECURSIVE ready AS (
      (SELECT pool FROM millrace.queue WHERE state = 'Ready' ORDER BY pool LIMIT 1)
      UNION ALL
      SELECT (SELECT q.pool FROM millrace.queue q WHERE q.state = 'Ready' AND q.pool > ready.pool ORDER BY q.pool LIMIT 1) FROM ready WHERE ready.pool IS NOT NULL
    )
    SELECT pool FROM ready WHERE pool IS NOT NULL UNION SELECT pool FROM millrace.runner WHERE expires_at >= now() AND pool <> '' ORDER BY pool`,
};

const DEAD: Statement = { name: 'overview-dead-letters', text: 'SELECT pool, count(*) AS count FROM millrace.dead_letter GROUP BY pool ORDER BY pool' };

const SIZES: Statement = {
  name: 'overview-sizes',
  text: `
    SELECT NULL AS table, pg_database_size(current_database()) AS bytes, 0 AS partitions
    UNION ALL
    SELECT coalesce(root.relname, c.relname), sum(pg_total_relation_size(c.oid))::bigint, count(*) FILTER (WHERE c.relispartition)::int
    FROM pg_class c LEFT JOIN pg_class root ON c.relispartition AND root.oid = pg_partition_root(c.oid)
    WHERE c.relnamespace = 'millrace'::regnamespace AND c.relkind IN ('r', 'p')
    GROUP BY 1 ORDER BY 1 NULLS FIRST`,
};

export async function overview(database: Database): Promise<Overview> {
  const [pools, deadLetters, sizes] = await Promise.all([
    database.query<{ pool: string }>(POOLS),
    database.query<Overview['deadLetters'][number]>(DEAD),
    database.query<{ table: string | null; bytes: number; partitions: number }>(SIZES),
  ]);
  return {
    pools: pools.map(({ pool }) => pool),
    deadLetters,
    bytes: sizes.find(({ table }) => table === null)?.bytes ?? 0,
    tables: sizes.flatMap(({ table, ...rest }) => (table === null ? [] : [{ table, ...rest }])),
  };
}
