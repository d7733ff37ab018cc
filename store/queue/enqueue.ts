import { channel, type Notifications } from '../notifications.ts';
import type { StoreObserver } from '../observer.ts';
import type { Database, Statement, Transaction } from '../database.ts';
import { type Groups, groupsOf } from '../limits.ts';
import { pack, storableText } from '../payload.ts';
import type { Payloads } from '../payloads.ts';
import { type Enqueued, type EnqueueRequest, RejectReason } from '../request.ts';
import { ISOLATED } from '../pool-name.ts';
import { isRevision } from '../revisions.ts';
import { QueueDepth } from './depth.ts';
import { passOn } from './gates.ts';

const DAY_MS = 86_400_000;
/** Stands for a text that is no revision: there is none of this name. */
const NO_REVISION = '00';
/** Not a reason that callers see: the limits of the route have other keys than the request was grouped by. */
const LIMITS_CHANGED = 'LimitsChanged';
/** Limits that change while a request is being grouped make it start over; they do not change so often. */
const GROUPINGS = 5;
/** Keys of limits that are remembered, a text of some bytes each. */
const REMEMBERED = 50_000;

interface Row {
  position: number;
  reason: RejectReason | typeof LIMITS_CHANGED | null;
  own_id: string;
  id: string;
  revision: string | null;
  pool: string;
  /** With LimitsChanged: the keys now. */
  limit_keys: string | null;
  /** Of the first row only: what the gates said. */
  entered: Entered[] | null;
}

/** What `millrace.enter_gates` says of an execution: it is refused, or is to be canceled for a newer one. */
interface Entered {
  execution_id: string;
  outcome: 'RateLimited' | 'ConcurrencyLimit' | 'Replaced';
  retry_ms: number | null;
}

/** Whoever asks for another pool does not change whether the workflow runs in pods of its own there. */
const POOL = `coalesce(i.pool || CASE WHEN r.pool LIKE '%${ISOLATED}' THEN '${ISOLATED}' ELSE '' END, r.pool)`;

/**
 * Reads the routes, pins the revisions, takes the idempotency keys and queues the rest, in one statement. Requests of one batch with
 * the same key are one execution. Keys are taken in order, so two batches cannot wait for each other.
 */
const ENQUEUE: Statement = {
  name: 'enqueue',
  text: `
    WITH input AS (
      SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::smallint[], $11::bigint[],
        $12::text[], $13::uuid[], $14::text[], $15::int[], $16::int[], $17::text[], $18::uuid[], $19::uuid[])
      WITH ORDINALITY AS i(id, namespace, workflow, mode, key, window_ms, revision, pool, priority, delay_ms, reply_to, parent, workflow_run, start, length, limit_keys, gate, rate, position)
    ), routed AS (
      SELECT i.position, i.id, i.namespace, i.workflow, i.mode, i.key, coalesce(i.window_ms, (r.limits ->> 'idempotencyWindowMs')::bigint, ${DAY_MS}) AS window_ms, i.delay_ms, i.reply_to, i.parent, i.workflow_run, i.start, i.length, i.gate, i.rate, r.limit_keys,
        r.uid, r.timeout_ms, r.save_success, r.save_failure, ${POOL} AS pool, coalesce(i.priority, r.priority) AS priority,
        CASE WHEN i.revision IS NOT NULL THEN v.revision WHEN r.canary IS NOT NULL AND random() * 100 < r.weight THEN r.canary ELSE r.stable END AS revision,
        CASE WHEN r.workflow IS NULL THEN 'WorkflowNotFound'
          WHEN NOT r.active AND i.mode IN ('Webhook', 'Schedule', 'Api') THEN 'WorkflowInactive'
          WHEN i.revision IS NOT NULL AND v.revision IS NULL THEN 'RevisionNotFound'
          WHEN r.limit_keys IS DISTINCT FROM i.limit_keys THEN '${LIMITS_CHANGED}'
          WHEN ${POOL} = ANY($20::text[]) OR ${POOL} || '/' || i.namespace = ANY($21::text[]) THEN 'QueueFull' END AS reason
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
        reply_to, parent, workflow_run, trigger, gate, rate)
      SELECT r.id, r.pool, r.namespace, r.workflow, r.uid, r.revision, r.mode,
        CASE WHEN r.delay_ms > 0 THEN 'Delayed' WHEN r.gate IS NULL AND r.rate IS NULL THEN 'Ready' ELSE 'Blocked' END, r.priority,
        now() + (r.delay_ms - r.priority * 30000) * interval '1 ms', now() + r.delay_ms * interval '1 ms', r.timeout_ms, r.save_success, r.save_failure,
        r.reply_to, r.parent, r.workflow_run, substring($1::bytea FROM r.start FOR r.length), r.gate, r.rate
      FROM routed r
      WHERE r.reason IS NULL AND (r.key IS NULL OR r.id IN (SELECT execution_id FROM keyed))
      ON CONFLICT (id) DO NOTHING
      RETURNING id, gate, rate
    ), entering AS (
      SELECT array_agg(q.id) AS ids, array_agg(r.key) AS keys FROM queued q JOIN routed r USING (id) WHERE q.gate IS NOT NULL OR q.rate IS NOT NULL
    )
    SELECT r.position::int, r.reason, r.id AS own_id, coalesce(k.execution_id, r.id) AS id, encode(coalesce(k.revision, r.revision), 'hex') AS revision, r.pool,
      CASE WHEN r.reason = '${LIMITS_CHANGED}' THEN r.limit_keys END AS limit_keys,
      CASE WHEN r.position = 1 THEN (
        SELECT json_agg(e) FROM millrace.enter_gates((SELECT ids FROM entering), (SELECT keys FROM entering)) e) END AS entered
    FROM routed r LEFT JOIN keyed k ON k.namespace = r.namespace AND k.workflow = r.workflow AND k.key = r.key
    ORDER BY r.position`,
};

/** An execution that an earlier try had queued, and that has ended before this one, is not queued again. */
const UNDO: Statement = {
  name: 'enqueue-undo',
  text: `
    WITH gone AS (
      DELETE FROM millrace.queue q USING millrace.execution e WHERE q.id = ANY($1::uuid[]) AND e.id = q.id RETURNING q.gate, q.state, q.fence)
    SELECT ${passOn('gone')} AS woken`,
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

function toEnqueued(row: Row, refused: ReadonlyMap<string, Entered>, depth: QueueDepth, namespace: string): Enqueued {
  const { reason, own_id, id, revision } = row;
  if (reason === RejectReason.QueueFull) return { accepted: false, reason, retryMs: depth.retryMs(row.pool, namespace) };
  if (reason === LIMITS_CHANGED) return { accepted: false, reason: RejectReason.ConcurrencyLimit, retryMs: 1000 };
  if (reason !== null) return { accepted: false, reason };
  const refusal = refused.get(id);
  if (refusal === undefined) return { accepted: true, id, revision: revision ?? '', duplicate: id !== own_id };
  const retryMs = refusal.retry_ms;
  return { accepted: false, reason: refusal.outcome as RejectReason, ...(retryMs !== null && { retryMs: Math.ceil(retryMs) }) };
}

export interface EnqueueParts {
  database: Database;
  notifications: Notifications;
  nextId(): string;
  payloads: Pick<Payloads, 'encode'>;
  cancel(executionIds: readonly string[]): Promise<string[]>;
  observer: Pick<StoreObserver, 'enqueued'>;
}

export function createEnqueue(parts: EnqueueParts): (requests: readonly EnqueueRequest[]) => Promise<Enqueued[]> {
  const { database, notifications } = parts;
  const depth = new QueueDepth(database);
  /** Workflows that have limits, as far as this process knows; the database says when that is not right any more. */
  const limitKeys = new Map<string, string>();

  function groupOf({ namespace, workflow, trigger, unlimited }: EnqueueRequest): Groups & { keys?: string } {
    const keys = limitKeys.get(`${namespace}/${workflow}`);
    return keys === undefined ? {} : { keys, ...!unlimited && groupsOf(keys, { namespace, workflow, items: trigger.items }) };
  }

  function learn({ namespace, workflow }: EnqueueRequest, keys: string | null): void {
    if (keys === null) limitKeys.delete(`${namespace}/${workflow}`);
    else {
      if (limitKeys.size >= REMEMBERED) limitKeys.clear();
      limitKeys.set(`${namespace}/${workflow}`, keys);
    }
  }

  async function send(requests: readonly EnqueueRequest[]): Promise<Row[]> {
    const ids = requests.map(({ id }) => id ?? parts.nextId());
    const triggers = pack(await Promise.all(requests.map(async ({ trigger }, index) => parts.payloads.encode(trigger, 'live', ids[index] ?? ''))));
    const groups = requests.map(groupOf);
    const full = depth.full();
    const column = <T>(read: (request: EnqueueRequest) => T | undefined): (T | null)[] => requests.map((request) => read(request) ?? null);
    const texts = (read: (request: EnqueueRequest) => string | undefined): (string | null)[] => column((request) => {
      const text = read(request);
      return text === undefined ? undefined : storableText(text);
    });
    return database.queryOnce<Row>(ENQUEUE, [
      triggers.blob, ids,
      texts(({ namespace }) => namespace), texts(({ workflow }) => workflow), texts(({ mode }) => mode),
      texts(({ idempotencyKey }) => idempotencyKey), column(({ idempotencyWindowMs }) => idempotencyWindowMs),
      column(({ revision }) => (revision === undefined || isRevision(revision) ? revision : NO_REVISION)),
      texts(({ pool }) => pool), column(({ priority }) => priority), column(({ delayMs = 0 }) => Math.max(0, Math.round(delayMs))),
      texts(({ replyTo }) => replyTo), column(({ parent }) => parent), texts(({ workflowRun }) => workflowRun),
      triggers.starts, triggers.lengths,
      groups.map(({ keys = null }) => keys), groups.map(({ gate = null }) => gate), groups.map(({ rate = null }) => rate), full.pools, full.namespaces,
    ], repair);
  }

  /** Answers of the database to all requests; those whose limits it has not known it groups again. */
  async function settle(requests: readonly EnqueueRequest[], tries: number): Promise<{ rows: Row[]; entered: Entered[] }> {
    const rows = await send(requests);
    const entered = rows[0]?.entered ?? [];
    const stale = rows.flatMap(({ reason }, index) => (reason === LIMITS_CHANGED ? [index] : []));
    if (stale.length === 0 || tries === 1) return { rows, entered };
    const again = stale.flatMap((index) => requests[index] ?? []);
    again.forEach((request, n) => { learn(request, rows[stale[n] ?? 0]?.limit_keys ?? null); });
    const repeated = await settle(again, tries - 1);
    stale.forEach((index, n) => { rows[index] = repeated.rows[n] ?? rows[index] as Row; });
    return { rows, entered: [...entered, ...repeated.entered] };
  }

  return async (requests) => {
    if (requests.length === 0) return [];
    const { rows, entered } = await settle(requests, GROUPINGS);
    const refused = new Map(entered.filter(({ outcome }) => outcome !== 'Replaced').map((entry) => [entry.execution_id, entry]));
    const enqueued = rows.map((row, index) => toEnqueued(row, refused, depth, requests[index]?.namespace ?? ''));
    const pools = new Map<string, number>();
    enqueued.forEach((outcome, index) => {
      const pool = rows[index]?.pool;
      if (!outcome.accepted || outcome.duplicate || pool === undefined) return;
      pools.set(pool, (pools.get(pool) ?? 0) + 1);
      depth.accepted(pool, requests[index]?.namespace ?? '');
    });
    // Runners look for delayed work themselves, but have to know of it to know when.
    for (const [pool, count] of pools) {
      notifications.send(channel.work(pool));
      parts.observer.enqueued(pool, count);
    }
    const replaced = entered.flatMap(({ outcome, execution_id }) => (outcome === 'Replaced' ? [execution_id] : []));
    if (replaced.length > 0) await parts.cancel(replaced);
    return enqueued;
  };
}
