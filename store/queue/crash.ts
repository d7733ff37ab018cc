import type { Database, Statement } from '../database.ts';
import type { CrashWrite } from '../lease.ts';
import { channel, type Notifications } from '../notifications.ts';
import { storableText } from '../payload.ts';
import { type Ended, tellEnded } from './ended.ts';
import { passOn } from './gates.ts';

/** An execution that took a runner or executor down so often is not tried again, unless its pool says another number. */
const MAX_CRASHES = 3;
/** The n-th try after a crash waits n - 1 times so long. The first starts at once: mostly the runner was at fault. */
const PAUSE_MS = 5000;

/**
 * What both ways of crashing do with the executions in `fallen`, locked rows of the queue with a reason: note the evidence, then queue them again, end them as Canceled
 * if that was asked for and they need not be undone, or bury them. Every data-modifying part sees the queue as it was, and no two of them touch the same row.
 */
const HANDLE = `
  victim AS (
    SELECT f.*, f.crash_log || jsonb_build_object('reason', f.reason, 'runner', f.runner, 'fence', f.fence, 'claimedAt', f.claimed_at, 'crashedAt', now(),
      'checkpoints', (SELECT count(*) FROM millrace.checkpoint k WHERE k.execution_id = f.id)) AS evidence,
      coalesce((SELECT p.max_crashes FROM millrace.pool p WHERE p.name = f.pool), ${MAX_CRASHES}) AS max_crashes, f.canceled AND NOT f.undoable AS dropped
    FROM fallen f
  ), again AS (
    UPDATE millrace.queue q SET state = CASE WHEN v.crashes = 0 THEN 'Ready' ELSE 'Delayed' END, run_at = now() + v.crashes * ${PAUSE_MS} * interval '1 ms',
      runner = NULL, crashes = v.crashes + 1, crash_log = v.evidence
    FROM victim v WHERE q.id = v.id AND v.crashes + 1 < v.max_crashes AND NOT v.dropped
    RETURNING q.pool
  ), ended AS (
    DELETE FROM millrace.queue q USING victim v WHERE q.id = v.id AND (v.crashes + 1 >= v.max_crashes OR v.dropped)
    RETURNING v.*
  ), buried AS (
    INSERT INTO millrace.dead_letter (id, namespace, workflow, uid, revision, mode, pool, priority, crash_log, trigger, created_at, timeout_ms, save_success,
      save_failure, fence, parent, workflow_run, gate, canceled, undoable, checkpoints)
    SELECT e.id, e.namespace, e.workflow, e.uid, e.revision, e.mode, e.pool, e.priority, e.evidence, e.trigger, e.created_at, e.timeout_ms, e.save_success,
      e.save_failure, e.fence, e.parent, e.workflow_run, e.gate, e.canceled, e.undoable,
      coalesce((SELECT array_agg(k.data ORDER BY k.sequence) FROM millrace.checkpoint k WHERE k.execution_id = e.id), '{}')
    FROM ended e WHERE NOT e.dropped
  ), forgotten AS (
    DELETE FROM millrace.checkpoint k USING ended e WHERE k.execution_id = e.id
  ), history AS (
    INSERT INTO millrace.execution (id, namespace, workflow, uid, revision, mode, status, pool, priority, created_at, started_at, fence, crashes, runner, parent,
      workflow_run, kept, brief, response, words)
    SELECT id, namespace, workflow, uid, revision, mode, CASE WHEN dropped THEN 'Canceled' ELSE 'Failed' END, pool, priority, created_at, started_at, fence,
      crashes + 1, runner, parent, workflow_run, CASE WHEN save_failure = 'None' THEN 'None' ELSE 'Summary' END,
      convert_to(CASE WHEN dropped THEN '{}' ELSE json_build_object('error', json_build_object('code', 'ExecutionCrashed', 'message',
        format('The execution was given up after it took a runner down %s times, at last with %s. Its trigger and checkpoints are kept as a dead letter.',
          crashes + 1, evidence->-1->>'reason')))::text END, 'UTF8'), response, CASE WHEN NOT dropped THEN array_to_tsvector('{executioncrashed}') END
    FROM ended
  )
  SELECT id::text AS id, NULL AS pool, reply_to, workflow_run, false AS lost FROM ended
  UNION ALL SELECT DISTINCT NULL, pool, NULL, NULL, false FROM again
  UNION ALL SELECT NULL, unnest(${passOn('ended')}), NULL, NULL, false`;

/** The lease of a runner is over by the database's clock. */
const REAP: Statement = {
  name: 'reap',
  text: `
    WITH dead AS (
      DELETE FROM millrace.runner WHERE name IN (SELECT name FROM millrace.runner WHERE expires_at < now() ORDER BY name FOR UPDATE SKIP LOCKED) RETURNING name
    ), fallen AS (
      SELECT q.*, 'RunnerLost' AS reason FROM millrace.queue q JOIN dead ON q.runner = dead.name WHERE q.state = 'Running' ORDER BY q.id FOR UPDATE OF q
    ), ${HANDLE}`,
};

const CRASH: Statement = {
  name: 'crash',
  text: `
    WITH input AS (
      SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[]) AS i(id, fence, reason)
    ), fallen AS (
      SELECT q.*, i.reason FROM input i JOIN millrace.queue q ON q.id = i.id AND q.fence = i.fence AND q.state = 'Running' ORDER BY q.id FOR UPDATE OF q
    ), lost AS (
      SELECT id FROM input WHERE id NOT IN (SELECT id FROM fallen)
    ), ${HANDLE}
    UNION ALL SELECT id::text, NULL, NULL, NULL, true FROM lost`,
};

interface Row extends Ended {
  pool: string | null;
}

export interface Crashes {
  crash(writes: readonly CrashWrite[]): Promise<string[]>;
  /** Ends the leases of runners that have not renewed in time. */
  reap(): Promise<void>;
}

export function createCrashes(database: Database, notifications: Notifications): Crashes {
  const tell = (rows: readonly Row[]): void => {
    tellEnded(notifications, rows);
    for (const { pool } of rows) if (pool !== null) notifications.send(channel.work(pool));
  };
  return {
    async crash(writes) {
      if (writes.length === 0) return [];
      const rows = await database.query<Row & { lost: boolean }>(CRASH, [
        writes.map(({ executionId }) => executionId), writes.map(({ fence }) => fence), writes.map(({ reason }) => storableText(reason)),
      ]);
      tell(rows.filter(({ lost }) => !lost));
      return rows.flatMap(({ lost, id }) => (lost && id !== null ? [id] : []));
    },
    async reap() {
      tell(await database.query<Row>(REAP));
    },
  };
}
