import type { Database, Statement } from '../database.ts';
import { executionOf, fileKey, isOver, type ObjectKind } from './keys.ts';
import type { ObjectStorage } from './object-storage.ts';

/** An object is there before the row that names it; far longer than the call takes that writes both. */
const GRACE_MS = 3_600_000;
const UPLOAD_MS = 24 * GRACE_MS;
/** Rows that one statement looks at. */
const ROWS_AT_ONCE = 2000;
const NO_ID = '00000000-0000-0000-0000-000000000000';

/** One replica looks, and then nobody for a while. */
const TURN: Statement = { name: 'objects-turn', text: `UPDATE millrace.chore SET due_at = now() + $1 * interval '1 ms' WHERE name = 'prune-objects' AND due_at <= now() RETURNING name` };

const UNFINISHED = `EXISTS (SELECT FROM millrace.queue q WHERE q.id = i.id) OR EXISTS (SELECT FROM millrace.dead_letter d WHERE d.id = i.id)`;

/** In one statement, because executions go from one table to the other. */
const aliveWhen = (name: string, condition: string): Statement => ({ name, text: `SELECT i.id FROM unnest($1::uuid[]) AS i(id) WHERE ${condition}` });
const UNFINISHED_OF = aliveWhen('objects-unfinished', UNFINISHED);
const KNOWN_OF = aliveWhen('objects-known', `${UNFINISHED} OR EXISTS (SELECT FROM millrace.execution e WHERE e.id = i.id)`);

/** Files in the order of their executions, and whether nobody needs them. */
const FILES: Statement = {
  name: 'objects-files',
  text: `
    SELECT i.file, i.id, i.created_at < now() - interval '1 hour'
      AND NOT (${UNFINISHED} OR EXISTS (SELECT FROM millrace.execution e WHERE e.id = i.id AND e.kept = 'All')) AS gone
    FROM (SELECT b.id AS file, b.execution_id AS id, b.created_at FROM millrace.binary_object b
      WHERE (b.execution_id, b.id) > ($1::uuid, $2::uuid) ORDER BY b.execution_id, b.id LIMIT ${ROWS_AT_ONCE}) i`,
};

const FORGET: Statement = { name: 'objects-forget', text: 'DELETE FROM millrace.binary_object WHERE id = ANY($1::uuid[])' };

interface FileRow {
  file: string;
  /** The execution's. */
  id: string;
  gone: boolean;
}

export interface ObjectPrune {
  database: Database;
  storage: ObjectStorage;
  /** Milliseconds since the epoch, by the database's clock. */
  now(): number;
}

/**
 * Removes the objects that no row names: files of executions that are gone by their rows, `live` objects of executions that have ended by listing what
 * there is, and whatever is left of days that the history has dropped. Any number of replicas may call it; one works, once in `everyMs`. Resolves to how many it removed.
 */
export async function pruneObjects(parts: ObjectPrune, { retentionDays, everyMs = GRACE_MS }: { retentionDays: number; everyMs?: number }): Promise<number> {
  const { database, storage, now } = parts;
  if ((await database.query(TURN, [everyMs])).length === 0) return 0;
  let removed = await pruneFiles(parts);
  removed += await pruneDays(parts, { kind: 'live', alive: UNFINISHED_OF, isDue: () => true });
  for (const kind of ['kept', 'files'] as const) removed += await pruneDays(parts, { kind, alive: KNOWN_OF, isDue: (day) => isOver(day, retentionDays, now()) });
  await storage.abortUploads(now() - UPLOAD_MS);
  return removed;
}

/** The object goes first: a row without one is found again, an object without one by the end of its day only. */
async function pruneFiles({ database, storage }: ObjectPrune): Promise<number> {
  let removed = 0;
  let last = { id: NO_ID, file: NO_ID };
  for (;;) {
    const rows = await database.query<FileRow>(FILES, [last.id, last.file]);
    const gone = rows.filter((row) => row.gone);
    await storage.remove(gone.map(({ id, file }) => fileKey(id, file)));
    if (gone.length > 0) await database.query(FORGET, [gone.map(({ file }) => file)]);
    removed += gone.length;
    last = rows.at(-1) ?? last;
    if (rows.length < ROWS_AT_ONCE) return removed;
  }
}

async function pruneDays({ database, storage, now }: ObjectPrune, { kind, alive, isDue }: { kind: ObjectKind; alive: Statement; isDue(day: string): boolean }): Promise<number> {
  let removed = 0;
  for (const folder of await storage.folders(`${kind}/`)) {
    if (!isDue(folder.slice(0, -1))) continue;
    for await (const page of storage.list(`${kind}/${folder}`)) {
      const before = now() - GRACE_MS;
      const old = page.filter(({ writtenAt }) => writtenAt < before).flatMap(({ key }) => {
        const execution = executionOf(key);
        return execution === undefined ? [] : [{ key, execution }];
      });
      const ids = [...new Set(old.map(({ execution }) => execution))];
      const needed = new Set((ids.length === 0 ? [] : await database.query<{ id: string }>(alive, [ids])).map(({ id }) => id));
      const gone = old.filter(({ execution }) => !needed.has(execution)).map(({ key }) => key);
      await storage.remove(gone);
      removed += gone.length;
    }
  }
  return removed;
}
