import { channel, type Notifications } from '../notifications.ts';
import type { StoreObserver } from '../observer.ts';
import type { Database, Statement, Transaction } from '../database.ts';
import { encodePayload, pack, storableText } from '../payload.ts';
import type { Enqueued, EnqueueRequest, RejectReason } from '../request.ts';
import { isRevision } from '../revisions.ts';

const DAY_MS = 86_400_000;
/** Stands for a text that is no revision: there is none of this name. */
const NO_REVISION = '00';

interface Row {
  position: number;
  reason: RejectReason | null;
  own_id: string;
  id: string;
  revision: string | null;
  pool: string;
}

/**
 * Reads the routes, pins the revisions, takes the idempotency keys and queues the rest, in one statement. Requests of one batch with
 * the same key are one execution. Keys are taken in order, so two batches cannot wait for each other.
 */
const ENQUEUE: Statement = {
  name: 'enqueue',
  text: `
    WITH input AS (
      SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::smallint[], $11::bigint[],
        $12::text[], $13::uuid[], $14::text[], $15::int[], $16::int[])
      WITH ORDINALITY AS i(id, namespace, workflow, mode, key, window_ms, revision, pool, priority, delay_ms, reply_to, parent, workflow_run, start, length, position)
    ), routed AS (
      SELECT i.position, i.id, i.namespace, i.workflow, i.mode, i.key, i.window_ms, i.delay_ms, i.reply_to, i.parent, i.workflow_run, i.start, i.length,
        r.uid, r.timeout_ms, r.save_success, r.save_failure, coalesce(i.pool, r.pool) AS pool, coalesce(i.priority, r.priority) AS priority,
        CASE WHEN i.revision IS NOT NULL THEN v.revision WHEN r.canary IS NOT NULL AND random() * 100 < r.weight THEN r.canary ELSE r.stable END AS revision,
        CASE WHEN r.workflow IS NULL THEN 'WorkflowNotFound'
          WHEN NOT r.active AND i.mode IN ('Webhook', 'Schedule') THEN 'WorkflowInactive'
          WHEN i.revision IS NOT NULL AND v.revision IS NULL THEN 'RevisionNotFound' END AS reason
      FROM input i
      LEFT JOIN millrace.route r ON r.namespace = i.namespace AND r.workflow = i.workflow
      LEFT JOIN millrace.revision v ON v.revision = decode(i.revision, 'hex') AND v.namespace = i.namespace AND v.workflow = i.workflow AND v.retired_at IS NULL
    ), keyed AS (
      INSERT INTO millrace.idempotency AS k (namespace, workflow, key, execution_id, revision, expires_at)
      SELECT DISTINCT ON (namespace, workflow, key) namespace, workflow, key, id, revision, now() + window_ms * interval '1 ms'
      FROM routed WHERE reason IS NULL AND key IS NOT NULL ORDER BY namespace, workflow, key, position
      ON CONFLICT (namespace, workflow, key) DO UPDATE SET
        execution_id = CASE WHEN k.expires_at < now() THEN EXCLUDED.execution_id ELSE k.execution_id END,
        revision = CASE WHEN k.expires_at < now() THEN EXCLUDED.revision ELSE k.revision END,
        expires_at = CASE WHEN k.expires_at < now() THEN EXCLUDED.expires_at ELSE k.expires_at END
      RETURNING namespace, workflow, key, execution_id, revision
    ), queued AS (
      INSERT INTO millrace.queue (id, pool, namespace, workflow, uid, revision, mode, state, priority, rank, run_at, timeout_ms, save_success, save_failure,
        reply_to, parent, workflow_run, trigger)
      SELECT r.id, r.pool, r.namespace, r.workflow, r.uid, r.revision, r.mode, CASE WHEN r.delay_ms > 0 THEN 'Delayed' ELSE 'Ready' END, r.priority,
        now() + (r.delay_ms - r.priority * 30000) * interval '1 ms', now() + r.delay_ms * interval '1 ms', r.timeout_ms, r.save_success, r.save_failure,
        r.reply_to, r.parent, r.workflow_run, substring($1::bytea FROM r.start FOR r.length)
      FROM routed r
      WHERE r.reason IS NULL AND (r.key IS NULL OR r.id IN (SELECT execution_id FROM keyed))
      ON CONFLICT (id) DO NOTHING
    )
    SELECT r.position::int, r.reason, r.id AS own_id, coalesce(k.execution_id, r.id) AS id, encode(coalesce(k.revision, r.revision), 'hex') AS revision, r.pool
    FROM routed r LEFT JOIN keyed k ON k.namespace = r.namespace AND k.workflow = r.workflow AND k.key = r.key
    ORDER BY r.position`,
};

/** An execution that an earlier try had queued, and that has ended before this one, is not queued again. */
const UNDO: Statement = {
  name: 'enqueue-undo',
  text: 'DELETE FROM millrace.queue q USING millrace.execution e WHERE q.id = ANY($1::uuid[]) AND e.id = q.id',
};

const PINNED: Statement = {
  name: 'enqueue-pinned',
  text: `
    SELECT id, encode(revision, 'hex') AS revision FROM millrace.queue WHERE id = ANY($1::uuid[])
    UNION ALL SELECT id, encode(revision, 'hex') FROM millrace.execution WHERE id = ANY($1::uuid[])`,
};

/**
 * After a try whose answer got lost: that try may have been committed, and its executions may have started with another revision or
 * even have ended. By now our rows hold their ids, so nobody can queue them between these statements.
 */
async function repair(transaction: Transaction, rows: Row[]): Promise<Row[]> {
  const ids = rows.filter(({ reason }) => reason === null).map(({ id }) => id);
  await transaction.query(UNDO, [ids]);
  const pinned = new Map((await transaction.query<{ id: string; revision: string }>(PINNED, [ids])).map(({ id, revision }) => [id, revision]));
  return rows.map((row) => ({ ...row, revision: pinned.get(row.id) ?? row.revision }));
}

function toEnqueued({ reason, own_id, id, revision }: Row): Enqueued {
  if (reason !== null) return { accepted: false, reason };
  return { accepted: true, id, revision: revision ?? '', duplicate: id !== own_id };
}

export function createEnqueue(parts: { database: Database; notifications: Notifications; nextId(): string; observer: Pick<StoreObserver, 'enqueued'> }): (requests: readonly EnqueueRequest[]) => Promise<Enqueued[]> {
  return async (requests) => {
    if (requests.length === 0) return [];
    const triggers = pack(await Promise.all(requests.map(async ({ trigger }) => encodePayload(trigger))));
    const column = <T>(read: (request: EnqueueRequest) => T | undefined): (T | null)[] => requests.map((request) => read(request) ?? null);
    const texts = (read: (request: EnqueueRequest) => string | undefined): (string | null)[] => column((request) => {
      const text = read(request);
      return text === undefined ? undefined : storableText(text);
    });
    return database.queryOnce<Row>(ENQUEUE, [
      triggers.blob, requests.map(({ id }) => id ?? parts.nextId()),
      texts(({ namespace }) => namespace), texts(({ workflow }) => workflow), texts(({ mode }) => mode),
      texts(({ idempotencyKey }) => idempotencyKey), column(({ idempotencyWindowMs = DAY_MS }) => idempotencyWindowMs),
      column(({ revision }) => (revision === undefined || isRevision(revision) ? revision : NO_REVISION)),
      texts(({ pool }) => pool), column(({ priority }) => priority), column(({ delayMs = 0 }) => Math.max(0, Math.round(delayMs))),
      texts(({ replyTo }) => replyTo), column(({ parent }) => parent), texts(({ workflowRun }) => workflowRun),
      triggers.starts, triggers.lengths,
    ], repair);
    // Runners look for delayed work themselves, but have to know of it to know when.
    const queued = Map.groupBy(rows.filter(({ reason }) => reason === null), ({ pool }) => pool);
    for (const [pool, ofPool] of queued) {
      parts.notifications.send(channel.work(pool));
      parts.observer.enqueued(pool, ofPool.filter(({ id, own_id: ownId }) => id === ownId).length);
    }
    return rows.map(toEnqueued);
  };
}
