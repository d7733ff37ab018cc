import type { Database, Statement } from './database.ts';

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

/** Forgets old idempotency keys and the traces of executions that are not to be kept. */
export async function sweep(database: Database): Promise<void> {
  for (const statement of [KEYS, UNSAVED]) {
    while ((await database.query(statement)).length === BATCH);
  }
}
