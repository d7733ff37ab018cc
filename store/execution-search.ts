import type { Database, Statement } from './database.ts';
import { EXECUTION_COLUMNS, type ExecutionRow, HISTORY_COLUMNS } from './execution-row.ts';
import { wordsOf } from './history.ts';

export interface WordSearch {
  words: string;
  namespace: string | null;
  workflow: string | null;
  status: string | null;
  mode: string | null;
  /** Ids from this one, it included, to `below`, itself not. */
  from: string;
  below: string;
  limit: number;
}

/** The boundaries between the partitions, newest first. */
const BOUNDS: Statement = { name: 'search-bounds', text: 'SELECT millrace.first_id(until) AS id FROM millrace.history_day ORDER BY until DESC' };

/** Which index is best depends on how rare the words are: for once, planning anew is worth it. */
const PLAN_ANEW: Statement = { name: 'search-planning', text: 'SET LOCAL plan_cache_mode = force_custom_plan' };

/** Finds first and sorts then: going through the newest until enough match would go through everything when nothing does. */
const SEARCH: Statement = {
  name: 'search',
  text: `
    WITH hit AS MATERIALIZED (
      SELECT id FROM millrace.execution
      WHERE words @@ $1::tsquery AND words IS NOT NULL AND kept <> 'None' AND id >= $2::uuid AND id < $3::uuid
        AND ($5::text IS NULL OR namespace = $5) AND ($6::text IS NULL OR workflow = $6) AND ($7::text IS NULL OR status = $7) AND ($8::text IS NULL OR mode = $8)
    )
    SELECT ${EXECUTION_COLUMNS} FROM (
      SELECT ${HISTORY_COLUMNS} FROM millrace.execution
      WHERE id = ANY(ARRAY(SELECT id FROM hit ORDER BY id DESC LIMIT $4)) AND id >= $2::uuid AND id < $3::uuid) found
    ORDER BY id DESC`,
};

/** The query for all words of a text, or beginnings of words; empty when it has none. */
export function wordQuery(text: string): string {
  return wordsOf(text).map((word) => `'${word}':*`).join(' & ');
}

/** Newest first, one partition after the other until there are enough: a word that most errors have is found in the newest day. */
export async function searchExecutions(database: Database, { words, namespace, workflow, status, mode, from, below, limit }: WordSearch): Promise<ExecutionRow[]> {
  if (words === '') return [];
  return database.transaction(async (transaction) => {
    const found: ExecutionRow[] = [];
    await transaction.query(PLAN_ANEW);
    const bounds = (await transaction.query<{ id: string }>(BOUNDS)).map(({ id }) => id).filter((id) => id > from && id < below);
    let upper = below;
    for (const lower of [...bounds, from]) {
      found.push(...await transaction.query<ExecutionRow>(SEARCH, [words, lower, upper, limit - found.length, namespace, workflow, status, mode]));
      if (found.length >= limit) break;
      upper = lower;
    }
    return found;
  });
}
