import type { Checkpoint, ExecutionMode, NodeRun } from '../runner/engine/node-run.ts';
import type { Database, Statement } from './database.ts';
import { isExecutionId } from './execution-id.ts';
import { channel, type Notifications } from './notifications.ts';
import { decodePayload, storableText } from './payload.ts';
import type { Payloads } from './payloads.ts';
import type { Trigger } from './request.ts';
import type { WorkflowKey } from './route.ts';

/** One time that an execution took its runner or executor down. Times are ISO 8601. */
export interface Crash {
  /** Stable code: RunnerLost, or the executor's. */
  reason: string;
  runner: string;
  fence: number;
  claimedAt: string;
  crashedAt: string;
  /** How many it had written by then. */
  checkpoints: number;
}

/** An execution that was given up because it took down whoever ran it. Times are milliseconds since the epoch. */
export interface DeadLetter extends WorkflowKey {
  /** The execution's. */
  id: string;
  revision: string;
  mode: ExecutionMode;
  pool: string;
  priority: number;
  createdAt: number;
  buriedAt: number;
  crashes: Crash[];
}

export interface DeadLetterDetail extends DeadLetter {
  trigger: Trigger;
  /** The last node run that was durable; what crashed came after it. */
  lastNode?: string;
  /** Of the checkpoints, without what nodes read of clocks and chance. */
  runs: NodeRun[];
}

export interface DeadLetterFilter {
  namespace?: string;
  /** Needs `namespace`. */
  workflow?: string;
  /** 1 to 200. Default 50. */
  limit?: number;
  /** `next` of the page before. */
  cursor?: string;
}

export interface DeadLetters {
  /** Newest execution first. */
  list(filter: DeadLetterFilter): Promise<{ deadLetters: DeadLetter[]; next?: string }>;
  get(id: string): Promise<DeadLetterDetail | undefined>;
  /**
   * The same execution goes on from its last checkpoint, with its crashes forgotten: it is taken out of the history, back into the queue. Its nodes
   * keep their idempotency keys. Resolves to false when there is no such dead letter (any more).
   */
  requeue(id: string): Promise<boolean>;
  /** Forgets trigger and checkpoints; the failed execution stays in the history. Resolves as `requeue`. */
  discard(id: string): Promise<boolean>;
}

const SHOWN = `id, namespace, workflow, encode(revision, 'hex') AS revision, mode, pool, priority, extract(epoch FROM created_at)::float8 * 1000 AS "createdAt",
  extract(epoch FROM buried_at)::float8 * 1000 AS "buriedAt", crash_log AS crashes`;
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

const LIST: Statement = {
  name: 'dead-letter-list',
  text: `
    SELECT ${SHOWN} FROM millrace.dead_letter
    WHERE ($1::text IS NULL OR namespace = $1) AND ($2::text IS NULL OR workflow = $2) AND id < $3::uuid ORDER BY id DESC LIMIT $4`,
};

const GET: Statement = { name: 'dead-letter-get', text: `SELECT ${SHOWN}, trigger, checkpoints FROM millrace.dead_letter WHERE id = $1` };

/** The fence goes on from the last one, so that nobody who still believes to own the execution can write, and the next claim reads the checkpoints. */
const REQUEUE: Statement = {
  name: 'dead-letter-requeue',
  text: `
    WITH letter AS (
      DELETE FROM millrace.dead_letter WHERE id = $1 RETURNING *
    ), history AS (
      DELETE FROM millrace.execution e USING letter WHERE e.id = letter.id
    ), progress AS (
      INSERT INTO millrace.checkpoint (execution_id, sequence, data)
      SELECT letter.id, k.number - 1, k.data FROM letter CROSS JOIN LATERAL unnest(letter.checkpoints) WITH ORDINALITY AS k(data, number)
    ), queued AS (
      INSERT INTO millrace.queue (id, pool, namespace, workflow, uid, revision, mode, state, priority, rank, created_at, timeout_ms, save_success, save_failure,
        fence, parent, workflow_run, trigger, gate, canceled, undoable)
      SELECT id, pool, namespace, workflow, uid, revision, mode, CASE WHEN gate IS NULL THEN 'Ready' ELSE 'Blocked' END, priority, now() - priority * interval '30 s',
        created_at, timeout_ms, save_success, save_failure, fence, parent, workflow_run, trigger, gate, canceled, undoable
      FROM letter RETURNING pool, gate
    )
    SELECT pool, (SELECT millrace.pass_gates('{}', (SELECT array_agg(gate) FROM queued WHERE gate IS NOT NULL))) AS woken FROM queued`,
};

/** A try whose answer got lost had done it. */
const REQUEUED: Statement = { name: 'dead-letter-requeued', text: 'SELECT pool FROM millrace.queue WHERE id = $1' };

const DISCARD: Statement = { name: 'dead-letter-discard', text: 'DELETE FROM millrace.dead_letter WHERE id = $1 RETURNING 1 AS gone' };

interface DetailRow extends DeadLetter {
  trigger: Buffer;
  checkpoints: Buffer[];
}

function toDetail({ trigger, checkpoints, ...letter }: DetailRow): DeadLetterDetail {
  const runs = checkpoints.flatMap((bytes) => (decodePayload(bytes) as Checkpoint).runs);
  const lastNode = runs.at(-1)?.node;
  return { ...letter, trigger: decodePayload(trigger) as Trigger, runs, ...(lastNode !== undefined && { lastNode }) };
}

export function createDeadLetters(database: Database, notifications: Notifications, payloads: Pick<Payloads, 'load'>): DeadLetters {
  return {
    async list({ namespace, workflow, limit = 50, cursor }) {
      const size = Math.max(1, Math.min(limit, 200));
      const before = cursor !== undefined && isExecutionId(cursor) ? cursor : LAST_ID;
      const rows = await database.query<DeadLetter>(LIST, [
        namespace === undefined ? null : storableText(namespace), workflow === undefined ? null : storableText(workflow), before, size + 1,
      ]);
      const deadLetters = rows.slice(0, size);
      const last = deadLetters.at(-1);
      return rows.length > size && last !== undefined ? { deadLetters, next: last.id } : { deadLetters };
    },
    async get(id) {
      const [row] = isExecutionId(id) ? await database.query<DetailRow>(GET, [id]) : [];
      if (row === undefined) return undefined;
      const [trigger, ...checkpoints] = await Promise.all([payloads.load(row.trigger), ...row.checkpoints.map((bytes) => payloads.load(bytes))]);
      return toDetail({ ...row, trigger, checkpoints });
    },
    async requeue(id) {
      if (!isExecutionId(id)) return false;
      const rows = await database.queryOnce<{ pool: string }>(REQUEUE, [id], async (transaction, again) =>
        (again.length > 0 ? again : transaction.query<{ pool: string }>(REQUEUED, [id])));
      for (const { pool } of rows) notifications.send(channel.work(pool));
      return rows.length > 0;
    },
    async discard(id) {
      return isExecutionId(id) && (await database.query(DISCARD, [id])).length > 0;
    },
  };
}
