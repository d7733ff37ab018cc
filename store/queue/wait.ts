import type { Checkpoint } from '../../runner/engine/node-run.ts';
import type { Database, Statement } from '../database.ts';
import { isExecutionId } from '../execution-id.ts';
import type { Resume, ResumeCall, Waiting, WaitWrite } from '../lease.ts';
import { channel, type Notifications } from '../notifications.ts';
import { decodePayload, storableText } from '../payload.ts';
import type { Payloads } from '../payloads.ts';
import { HELD, leaseColumns, lostIds } from './held.ts';

/** A wait for a call with a time limit is Waiting with a run_at; one for a time alone is Delayed. */
const WAIT: Statement = {
  name: 'wait',
  text: `
    UPDATE millrace.queue q SET state = CASE WHEN i.for_call THEN 'Waiting' ELSE 'Delayed' END, runner = NULL, wait_node = i.node, resume = NULL,
      run_at = to_timestamp(i.until), rank = coalesce(to_timestamp(i.until), now()) - q.priority * interval '30 s'
    FROM unnest($1::uuid[], $2::int[], $3::text[], $4::float8[], $5::boolean[]) AS i(id, fence, node, until, for_call) WHERE ${HELD}
    RETURNING q.id, q.pool, q.run_at IS NOT NULL AS timed`,
};

/** What an UPDATE of the queue as `q` sets in an execution whose wait is over without an answer from anybody. */
export const AWAKE = `state = 'Ready', run_at = NULL, wait_node = NULL, resume = NULL, rank = now() - q.priority * interval '30 s'`;

/** What the earlier request was answered with says nothing about this one. */
const RESUME: Statement = {
  name: 'resume',
  text: `
    UPDATE millrace.queue SET state = 'Ready', run_at = NULL, wait_node = NULL, resume = $3, response = NULL, reply_to = coalesce($4, reply_to),
      rank = now() - priority * interval '30 s'
    WHERE id = $1 AND state = 'Waiting' AND wait_node = $2
    RETURNING pool`,
};

/** A call that was tried again after a lost answer finds its own resume. */
const RESUMED: Statement = { name: 'resumed', text: 'SELECT pool FROM millrace.queue WHERE id = $1 AND resume = $2' };

/** The last checkpoint of a waiting execution is the one its engine wrote for this wait. */
const WAITING: Statement = {
  name: 'waiting',
  text: `
    SELECT q.namespace, q.workflow, q.mode, q.wait_node AS node, extract(epoch FROM q.run_at)::float8 * 1000 AS until,
      (SELECT k.data FROM millrace.checkpoint k WHERE k.execution_id = q.id ORDER BY k.sequence DESC LIMIT 1) AS checkpoint
    FROM millrace.queue q WHERE q.id = $1 AND q.state = 'Waiting'`,
};

interface WaitingRow extends Pick<Waiting, 'namespace' | 'workflow' | 'mode' | 'node'> {
  until: number | null;
  checkpoint: Buffer | null;
}

function toWaiting({ until, checkpoint, ...row }: WaitingRow): Waiting | undefined {
  const { waiting } = checkpoint === null ? {} : decodePayload(checkpoint) as Partial<Checkpoint>;
  const on = waiting?.wait.on ?? 'webhook';
  // No call ends that.
  if (on === 'pods' || on === 'partitions') return undefined;
  return { ...row, on, request: waiting?.wait.request ?? {}, ...(until !== null && { until }) };
}

export interface Waits {
  waiting(executionId: string): Promise<Waiting | undefined>;
  wait(writes: readonly WaitWrite[]): Promise<string[]>;
  resume(call: ResumeCall): Promise<boolean>;
}

export function createWaits(database: Database, notifications: Notifications, payloads: Pick<Payloads, 'encode' | 'load'>): Waits {
  return {
    async wait(writes) {
      if (writes.length === 0) return [];
      const rows = await database.query<{ id: string; pool: string; timed: boolean }>(WAIT, [
        ...leaseColumns(writes),
        writes.map(({ wait }) => storableText(wait.node)),
        writes.map(({ wait }) => (wait.until === undefined ? null : wait.until / 1000)),
        writes.map(({ wait }) => wait.on !== undefined),
      ]);
      // Idle runners sleep until the next time they know of.
      for (const { pool, timed } of rows) if (timed) notifications.send(channel.work(pool));
      return lostIds(writes, rows);
    },
    async waiting(executionId) {
      if (!isExecutionId(executionId)) return undefined;
      const [row] = await database.query<WaitingRow>(WAITING, [executionId]);
      return row && toWaiting({ ...row, checkpoint: row.checkpoint && await payloads.load(row.checkpoint) });
    },
    async resume({ executionId, node, items, replyTo }) {
      const resume = await payloads.encode({ node, cause: 'call', items } satisfies Resume, 'live', executionId);
      const resumed = await database.queryOnce<{ pool: string }>(RESUME, [executionId, storableText(node), resume, replyTo ?? null], async (transaction, rows) => {
        if (rows.length > 0) return rows;
        return transaction.query<{ pool: string }>(RESUMED, [executionId, resume]);
      });
      for (const { pool } of resumed) notifications.send(channel.work(pool));
      return resumed.length > 0;
    },
  };
}
