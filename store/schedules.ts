import type { Database, Statement, Transaction } from './database.ts';
import type { RouteSpec, WorkflowKey } from './route.ts';

/** A schedule that is in force. Times are milliseconds since the epoch by the database's clock. */
export interface StoredSchedule extends WorkflowKey {
  node: string;
  /** `options` of the route's trigger. */
  spec: unknown;
  /** When it came into force. */
  anchor: number;
  /** Its ticks up to here are dealt with. */
  cursor: number;
  /** Ticks that were fired, and those that were not because nobody could in time or the workflow's limits refused them. */
  fired: number;
  missed: number;
}

/** What was done with a schedule that was claimed. */
export interface ScheduleMove extends WorkflowKey {
  node: string;
  /** `cursor` as it was claimed. */
  from: number;
  cursor: number;
  /** When it is to be looked at again; absent: it has no tick any more. */
  lookAt?: number;
  fired: number;
  missed: number;
}

/** Schedules of active workflows. Whoever claims one decides what is due, has it executed and moves the schedule on, within the lease. */
export interface Schedules {
  /** By namespace, workflow and node. `cursor` is `next` of the page before. */
  list(filter: { namespace?: string; workflow?: string; limit?: number; cursor?: string }): Promise<{ schedules: StoredSchedule[]; next?: string }>;
  /** Those whose time has come, for a lease of 15 seconds. `nextMs`: until the next one, if there is one. */
  claim(limit: number): Promise<{ due: StoredSchedule[]; now: number; nextMs?: number }>;
  /** A schedule that was changed, or moved on by somebody else, stays as it is. */
  move(moves: readonly ScheduleMove[]): Promise<void>;
}

/** Longer than claiming, queueing and moving on take; then another replica takes the schedule over. */
const LEASE_MS = 15_000;
/** Between the parts of a cursor; names of nodes may hold anything else. */
const SEPARATOR = '/';

/** The first row says when it is; without a schedule it says nothing else. */
type ClaimRow = { now: number; next_ms: number | null } & (StoredSchedule | { namespace: null });

const millis = (column: string): string => `(extract(epoch FROM ${column}) * 1000)::float8`;
const COLUMNS = `s.namespace, s.workflow, s.node, s.spec, ${millis('s.anchor')} AS anchor, ${millis('s.cursor')} AS cursor, s.fired, s.missed`;

const FORGET: Statement = {
  name: 'schedule-forget',
  text: 'DELETE FROM millrace.schedule WHERE namespace = $1 AND workflow = $2 AND node <> ALL($3::text[])',
};

/** One whose times stay the same goes on where it is; otherwise it starts anew. */
const REGISTER: Statement = {
  name: 'schedule-register',
  text: `
    INSERT INTO millrace.schedule AS s (namespace, workflow, node, uid, spec)
    SELECT $1, $2, node, $3, spec FROM unnest($4::text[], $5::jsonb[]) AS wanted(node, spec)
    ON CONFLICT (namespace, workflow, node) DO UPDATE SET (uid, spec, anchor, cursor, look_at, fired, missed) = (
      SELECT EXCLUDED.uid, EXCLUDED.spec, CASE WHEN same THEN s.anchor ELSE now() END, CASE WHEN same THEN s.cursor ELSE now() END, now(),
        CASE WHEN same THEN s.fired ELSE 0 END, CASE WHEN same THEN s.missed ELSE 0 END
      FROM (SELECT s.uid = EXCLUDED.uid AND s.spec -> 'rules' = EXCLUDED.spec -> 'rules' AND s.spec -> 'timezone' = EXCLUDED.spec -> 'timezone' AS same) AS times)
    WHERE s.spec <> EXCLUDED.spec OR s.uid <> EXCLUDED.uid`,
};

/** Costs an index scan of what is due, whatever else is registered. */
const CLAIM: Statement = {
  name: 'schedule-claim',
  text: `
    WITH due AS (
      SELECT namespace, workflow, node FROM millrace.schedule WHERE look_at <= now() ORDER BY look_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ), claimed AS (
      UPDATE millrace.schedule s SET look_at = now() + ${LEASE_MS} * interval '1 ms' FROM due
      WHERE s.namespace = due.namespace AND s.workflow = due.workflow AND s.node = due.node
      RETURNING ${COLUMNS}
    )
    SELECT ${millis('now()')} AS now,
      (SELECT ${millis('look_at - now()')} FROM millrace.schedule WHERE look_at > now() ORDER BY look_at LIMIT 1) AS next_ms, claimed.*
    FROM (VALUES (1)) AS always LEFT JOIN claimed ON true`,
};

const MOVE: Statement = {
  name: 'schedule-move',
  text: `
    UPDATE millrace.schedule s SET cursor = to_timestamp(m.cursor / 1000), look_at = to_timestamp(m.look_at / 1000), fired = s.fired + m.fired, missed = s.missed + m.missed
    FROM unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::int[], $8::int[])
      AS m(namespace, workflow, node, was, cursor, look_at, fired, missed)
    WHERE s.namespace = m.namespace AND s.workflow = m.workflow AND s.node = m.node AND ${millis('s.cursor')} = m.was`,
};

const LIST: Statement = {
  name: 'schedule-list',
  text: `
    SELECT ${COLUMNS} FROM millrace.schedule s
    WHERE ($1::text IS NULL OR s.namespace = $1) AND ($2::text IS NULL OR s.workflow = $2) AND (s.namespace, s.workflow, s.node) > ($3, $4, $5)
    ORDER BY s.namespace, s.workflow, s.node LIMIT $6`,
};

/** Part of the transaction that writes a route, so that a workflow is active with its schedules or not at all. */
export async function registerSchedules(transaction: Transaction, { namespace, workflow, uid, active, triggers }: RouteSpec): Promise<void> {
  const wanted = active ? triggers.filter(({ kind }) => kind === 'Schedule') : [];
  const nodes = wanted.map(({ node }) => node);
  await transaction.query(FORGET, [namespace, workflow, nodes]);
  if (wanted.length > 0) await transaction.query(REGISTER, [namespace, workflow, uid, nodes, wanted.map(({ options }) => JSON.stringify(options))]);
}

export function createSchedules(database: Database): Schedules {
  return {
    async list({ namespace, workflow, limit = 50, cursor = '' }) {
      const size = Math.max(1, Math.min(limit, 200));
      const [afterNamespace = '', afterWorkflow = '', ...afterNode] = cursor.split(SEPARATOR);
      const rows = await database.query<StoredSchedule>(LIST, [namespace ?? null, workflow ?? null, afterNamespace, afterWorkflow, afterNode.join(SEPARATOR), size + 1]);
      const schedules = rows.slice(0, size);
      const last = schedules.at(-1);
      return rows.length > size && last !== undefined ? { schedules, next: [last.namespace, last.workflow, last.node].join(SEPARATOR) } : { schedules };
    },
    async claim(limit) {
      // Tried again after a lost answer it claims others; what the first try claimed is free again after its lease.
      const rows = await database.query<ClaimRow>(CLAIM, [limit]);
      const [first] = rows;
      if (first === undefined) return { due: [], now: 0 };
      const due = rows.flatMap((row) => (row.namespace === null ? [] : [row]));
      return { due, now: first.now, ...(first.next_ms !== null && { nextMs: first.next_ms }) };
    },
    async move(moves) {
      if (moves.length === 0) return;
      await database.query(MOVE, [
        moves.map(({ namespace }) => namespace), moves.map(({ workflow }) => workflow), moves.map(({ node }) => node), moves.map(({ from }) => from),
        moves.map(({ cursor }) => cursor), moves.map(({ lookAt }) => lookAt ?? null), moves.map(({ fired }) => fired), moves.map(({ missed }) => missed),
      ]);
    },
  };
}
