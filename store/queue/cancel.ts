import type { Database, Statement } from '../database.ts';
import { channel, type Notifications } from '../notifications.ts';
import { type Ended, tellEnded, tellWoken } from './ended.ts';
import { passOn } from './gates.ts';

interface Row extends Ended {
  running: boolean;
  /** Set when a runner of this pool undoes it first. */
  pool: string | null;
}

/**
 * Rows are locked first, so that one that is claimed meanwhile is seen as running. One whose effects are to be undone is claimed once more for that,
 * and ends then.
 */
const CANCEL: Statement = {
  name: 'cancel',
  text: `
    WITH target AS (
      SELECT q.* FROM millrace.queue q WHERE q.id = ANY($1::uuid[]) ORDER BY q.id FOR UPDATE
    ), marked AS (
      UPDATE millrace.queue q SET canceled = true FROM target t WHERE q.id = t.id AND t.state = 'Running' AND NOT t.canceled
    ), undone AS (
      UPDATE millrace.queue q SET canceled = true, state = CASE WHEN t.state = 'Blocked' THEN t.state ELSE 'Ready' END, run_at = NULL, wait_node = NULL
      FROM target t WHERE q.id = t.id AND t.state <> 'Running' AND t.undoable
    ), gone AS (
      DELETE FROM millrace.queue q USING target t WHERE q.id = t.id AND t.state <> 'Running' AND NOT t.undoable RETURNING t.*
    ), forgotten AS (
      DELETE FROM millrace.checkpoint k USING gone WHERE k.execution_id = gone.id
    ), history AS (
      INSERT INTO millrace.execution (id, namespace, workflow, uid, revision, mode, status, pool, priority, created_at, started_at, fence, crashes, runner, parent,
        workflow_run, kept, brief, response)
      SELECT id, namespace, workflow, uid, revision, mode, 'Canceled', pool, priority, created_at, started_at, fence, crashes, runner, parent, workflow_run,
        CASE WHEN save_failure = 'None' THEN 'None' ELSE 'Summary' END, '{}', response
      FROM gone
    )
    SELECT t.id, t.state = 'Running' AS running, CASE WHEN t.state <> 'Running' AND t.undoable THEN t.pool END AS pool, t.reply_to, t.workflow_run, ${passOn('gone')} AS woken FROM target t`,
};

export function createCancel(database: Database, notifications: Notifications): (executionIds: readonly string[]) => Promise<string[]> {
  return async (executionIds) => {
    if (executionIds.length === 0) return [];
    const rows = await database.query<Row>(CANCEL, [executionIds]);
    tellEnded(notifications, rows.filter(({ running, pool }) => !running && pool === null));
    tellWoken(notifications, rows);
    for (const { id, running } of rows) if (running && id !== null) notifications.send(channel.canceled, id);
    for (const { pool } of rows) if (pool !== null) notifications.send(channel.work(pool));
    return rows.flatMap(({ id }) => (id === null ? [] : [id]));
  };
}
