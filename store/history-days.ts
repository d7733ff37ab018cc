import type { Database, Statement } from './database.ts';
import { StoreError, StoreReason } from './error.ts';

/** How long finished executions are kept when nobody says otherwise. */
export const DEFAULT_RETENTION_DAYS = 14;
/** Partitions are made for so many days after today. */
const AHEAD = 3;
const BATCH = 5000;

const MAKE: Statement = { name: 'history-make', text: `SELECT millrace.make_days(${AHEAD}) AS made` };

const DROP: Statement = { name: 'history-drop', text: 'SELECT millrace.drop_day($1) IS NOT NULL AS dropped' };

/** What is in no day's partition. */
const STRAYS: Statement = {
  name: 'history-strays',
  text: `
    DELETE FROM millrace.execution_default WHERE id IN (
      SELECT id FROM millrace.execution_default WHERE finished_at < now() - $1 * interval '1 day' LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) RETURNING 1 AS gone`,
};

/**
 * Makes the partitions of the days to come and drops those that are older than the retention. Any number of replicas may do so; one does.
 * Both need the whole table for a moment: behind a long query they give up after half a second, until the next time.
 */
export async function turnDays(database: Database, retentionDays: number): Promise<void> {
  await patiently(async () => database.query(MAKE));
  await patiently(async () => {
    while ((await database.query<{ dropped: boolean }>(DROP, [retentionDays]))[0]?.dropped === true);
  });
  while ((await database.query(STRAYS, [retentionDays])).length === BATCH);
}

async function patiently(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof StoreError && error.code === StoreReason.StoreTimeout)) throw error;
  }
}
