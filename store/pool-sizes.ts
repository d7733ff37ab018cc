import type { Database, Statement } from './database.ts';

/** What the operator says of the size of a pool. */
export interface PoolSizeRecord {
  pool: string;
  /** Who decides on it: the RunnerPool's spec, the operator by the queue, or an autoscaler. */
  mode: 'Fixed' | 'Queue' | 'External';
  /** Runners that are wanted now. */
  desired: number;
  minReplicas: number;
  maxReplicas: number;
  /** With mode Queue. */
  targetWaitMs?: number;
  /** The last change by the queue. */
  change?: { time: string; from: number; to: number; reason: string; message: string };
}

/** Sizes of pools, for those who watch. */
export interface PoolSizeRecords {
  put(record: PoolSizeRecord): Promise<void>;
  remove(pool: string): Promise<void>;
  /** By name. */
  list(): Promise<PoolSizeRecord[]>;
}

const PUT: Statement = {
  name: 'pool-size-put',
  text: `
    INSERT INTO millrace.pool_size (pool, mode, desired, min_replicas, max_replicas, target_wait_ms, change) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (pool) DO UPDATE SET mode = EXCLUDED.mode, desired = EXCLUDED.desired, min_replicas = EXCLUDED.min_replicas,
      max_replicas = EXCLUDED.max_replicas, target_wait_ms = EXCLUDED.target_wait_ms, change = EXCLUDED.change`,
};

const REMOVE: Statement = { name: 'pool-size-remove', text: 'DELETE FROM millrace.pool_size WHERE pool = $1' };

const LIST: Statement = {
  name: 'pool-size-list',
  text: `
    SELECT pool, mode, desired, min_replicas AS "minReplicas", max_replicas AS "maxReplicas", target_wait_ms AS "targetWaitMs", change
    FROM millrace.pool_size ORDER BY pool`,
};

type Row = Omit<PoolSizeRecord, 'targetWaitMs' | 'change'> & { targetWaitMs: number | null; change: NonNullable<PoolSizeRecord['change']> | null };

export function createPoolSizes(database: Database): PoolSizeRecords {
  return {
    async put({ pool, mode, desired, minReplicas, maxReplicas, targetWaitMs, change }) {
      await database.query(PUT, [pool, mode, desired, minReplicas, maxReplicas, targetWaitMs ?? null, change === undefined ? null : JSON.stringify(change)]);
    },
    async remove(pool) {
      await database.query(REMOVE, [pool]);
    },
    async list() {
      return (await database.query<Row>(LIST)).map(({ targetWaitMs, change, ...rest }) => ({
        ...rest, ...(targetWaitMs !== null && { targetWaitMs }), ...(change !== null && { change }),
      }));
    },
  };
}
