import type { Database, Statement } from './database.ts';
import { turnDays } from './history-days.ts';

/** Rows per statement: few enough that none runs long or holds many locks. */
const BATCH = 5000;

const KEYS: Statement = {
  name: 'sweep-keys',
  text: `
    DELETE FROM millrace.idempotency WHERE ctid IN (
      SELECT ctid FROM millrace.idempotency WHERE expires_at < now() LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) RETURNING 1 AS gone`,
};

/** An hour: far more than anybody tries again, or waits for an answer. */
const UNSAVED: Statement = {
  name: 'sweep-unsaved',
  text: `
    DELETE FROM millrace.execution WHERE id IN (
      SELECT id FROM millrace.execution WHERE kept = 'None' AND finished_at < now() - interval '1 hour' LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) RETURNING 1 AS gone`,
};

/** A bucket that has been full for a while is as good as a new one. */
const RATES: Statement = {
  name: 'sweep-rates',
  text: `
    DELETE FROM millrace.rate WHERE id IN (
      SELECT id FROM millrace.rate WHERE full_at < now() - interval '1 minute' LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) RETURNING 1 AS gone`,
};

/** Nobody has called the host for an hour: what was seen of it is worth nothing now. */
const CIRCUITS: Statement = {
  name: 'sweep-circuits',
  text: `
    DELETE FROM millrace.circuit WHERE (namespace, host) IN (
      SELECT namespace, host FROM millrace.circuit WHERE retry_at < now() - interval '1 hour' LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) RETURNING 1 AS gone`,
};

/**
 * Whoever ends passes on its slot; only a limit that was raised, or a cancellation that failed halfway, leaves free slots that somebody
 * waits for. Gates with executions that wait are found by jumping through the index.
 */
const GATES: Statement = {
  name: 'sweep-gates',
  text: `
    WITH RECURSIVE waiting AS (
      (SELECT gate FROM millrace.queue WHERE state = 'Blocked' ORDER BY gate LIMIT 1)
      UNION ALL
      SELECT (SELECT q.gate FROM millrace.queue q WHERE q.state = 'Blocked' AND q.gate > waiting.gate ORDER BY q.gate LIMIT 1) FROM waiting WHERE waiting.gate IS NOT NULL
    ), free AS (
      SELECT w.gate FROM waiting w LEFT JOIN millrace.gate g ON g.id = w.gate WHERE w.gate IS NOT NULL AND (g.id IS NULL OR g.held < millrace.gate_max(g)) LIMIT ${BATCH}
    )
    SELECT millrace.pass_gates('{}', (SELECT array_agg(gate) FROM free)) AS woken`,
};

/**
 * Forgets old idempotency keys, circuits of hosts nobody calls, the traces of executions that are not to be kept, and days of the history that are older than the retention; lets executions
 * start that a raised limit has room for.
 */
export async function sweep(database: Database, retentionDays: number): Promise<void> {
  await database.query(GATES);
  for (const statement of [KEYS, UNSAVED, RATES, CIRCUITS]) {
    while ((await database.query(statement)).length === BATCH);
  }
  await turnDays(database, retentionDays);
}
