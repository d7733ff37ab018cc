import type { Database, Statement } from '../database.ts';
import type { Lease, Renewed, RenewOptions } from '../lease.ts';
import { channel, type Notifications } from '../notifications.ts';
import { LEASE_MS } from './claim.ts';

/**
 * One row is written, whatever the runner executes. Orphans are executions that the runner owns but has not listed for a whole lease: the
 * answer to the claim never reached it.
 */
const RENEW: Statement = {
  name: 'renew',
  text: `
    WITH lease AS (
      INSERT INTO millrace.runner AS r (name, pool, expires_at, slots, busy, started, ended, busy_ms)
      VALUES ($1, '', now() + $4 * interval '1 ms', coalesce($5::int, 0), $6::int, coalesce($7::bigint, 0), coalesce($8::bigint, 0), coalesce($9::float8, 0))
      ON CONFLICT (name) DO UPDATE SET expires_at = EXCLUDED.expires_at, slots = coalesce($5, r.slots), busy = coalesce($6, r.busy),
        started = coalesce($7, r.started), ended = coalesce($8, r.ended), busy_ms = coalesce($9, r.busy_ms)
    ), orphan AS (
      UPDATE millrace.queue SET state = 'Ready', runner = NULL WHERE id IN (
        SELECT id FROM millrace.queue WHERE runner = $1 AND state = 'Running' AND claimed_at < now() - $4 * interval '1 ms' AND id <> ALL($2::uuid[])
        FOR UPDATE SKIP LOCKED)
      RETURNING pool
    )
    SELECT l.id::text AS id, coalesce(q.canceled, false) AS canceled, NULL AS pool
    FROM unnest($2::uuid[], $3::int[]) AS l(id, fence)
    LEFT JOIN millrace.queue q ON q.id = l.id AND q.fence = l.fence AND q.runner = $1 AND q.state = 'Running'
    WHERE q.id IS NULL OR q.canceled
    UNION ALL SELECT DISTINCT NULL, false, pool FROM orphan`,
};

const RELEASE: Statement = {
  name: 'release',
  text: `
    WITH released AS (
      UPDATE millrace.queue q SET state = 'Ready', runner = NULL
      FROM (SELECT q.id FROM unnest($1::uuid[], $2::int[]) AS l(id, fence) JOIN millrace.queue q ON q.id = l.id AND q.fence = l.fence AND q.state = 'Running'
        ORDER BY q.id FOR UPDATE OF q) held
      WHERE q.id = held.id RETURNING q.pool)
    SELECT DISTINCT pool FROM released`,
};

const LEAVE: Statement = {
  name: 'leave',
  text: `
    WITH gone AS (
      DELETE FROM millrace.runner WHERE name = $1
    ), released AS (
      UPDATE millrace.queue SET state = 'Ready', runner = NULL WHERE runner = $1 AND state = 'Running' RETURNING pool)
    SELECT DISTINCT pool FROM released`,
};

interface RenewRow {
  id: string | null;
  canceled: boolean;
  pool: string | null;
}

export interface RunnerLeases {
  renew(options: RenewOptions): Promise<Renewed>;
  release(leases: readonly Lease[]): Promise<void>;
  leave(runner: string): Promise<void>;
}

export function createRunnerLeases(database: Database, notifications: Notifications): RunnerLeases {
  const tell = (rows: readonly { pool: string | null }[]): void => {
    for (const { pool } of rows) if (pool !== null) notifications.send(channel.work(pool));
  };
  return {
    async renew({ runner, leases, leaseMs = LEASE_MS, load }) {
      const rows = await database.query<RenewRow>(RENEW, [
        runner, leases.map(({ executionId }) => executionId), leases.map(({ fence }) => fence), leaseMs,
        load?.slots ?? null, load?.busy ?? null, load?.started ?? null, load?.ended ?? null, load?.busyMs ?? null,
      ]);
      tell(rows);
      const ids = (canceled: boolean): string[] => rows.flatMap((row) => (row.id !== null && row.canceled === canceled ? [row.id] : []));
      return { lost: ids(false), canceled: ids(true) };
    },
    async release(leases) {
      if (leases.length === 0) return;
      tell(await database.query<{ pool: string }>(RELEASE, [leases.map(({ executionId }) => executionId), leases.map(({ fence }) => fence)]));
    },
    async leave(runner) {
      tell(await database.query<{ pool: string }>(LEAVE, [runner]));
    },
  };
}
