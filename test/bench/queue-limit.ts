import { Pool } from 'pg';
import { BATCH, ITEM, type OpenContender } from './queue-contender.ts';

const PAYLOAD = JSON.stringify({ node: 'Order', items: [ITEM] });
const DATA = JSON.stringify([{ node: 'Order', runIndex: 0, status: 'success', source: [null], outputs: [[ITEM]], startedAt: 0, durationMs: 1 }]);

/**
 * Not a queue: the fewest statements that write the same rows with the same commits and batches, prepared, without order, fences, locks, routes
 * or anything else a queue needs. What this machine's PostgreSQL can do at all.
 */
export const openLimit: OpenContender = async (url) => {
  const pool = new Pool({ connectionString: url, max: 16 });
  await pool.query(`
    CREATE TABLE bare_queue (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, workflow text, revision text, created_at timestamptz DEFAULT now(), runner text, payload bytea);
    CREATE TABLE bare_history (id bigint PRIMARY KEY, workflow text, revision text, created_at timestamptz, finished_at timestamptz DEFAULT now(), data bytea)`);
  const insert = async (count: number): Promise<void> => {
    await pool.query({
      name: 'insert', text: "INSERT INTO bare_queue (workflow, revision, payload) SELECT 'intake', repeat('a', 32), $2 FROM generate_series(1, $1::int)", values: [count, Buffer.from(PAYLOAD)],
    });
  };
  /** Each of `parts` workers takes its own range of ids, so that none waits for another. */
  const work = async (from: number, to: number): Promise<void> => {
    for (let first = from; first < to; first += BATCH) {
      const range = [first, Math.min(first + BATCH, to) - 1];
      await pool.query({ name: 'take', text: "UPDATE bare_queue SET runner = 'bench' WHERE id BETWEEN $1 AND $2 RETURNING id, workflow, revision, payload", values: range });
      await pool.query({
        name: 'end', text: `WITH gone AS (DELETE FROM bare_queue WHERE id BETWEEN $1 AND $2 RETURNING *)
          INSERT INTO bare_history (id, workflow, revision, created_at, data) SELECT id, workflow, revision, created_at, $3 FROM gone`, values: [...range, Buffer.from(DATA)],
      });
    }
  };
  return {
    name: 'bare statements',
    enqueue: async () => insert(1),
    enqueueBatch: insert,
    async drain(count) {
      const { rows: [row] } = await pool.query<{ first: string }>('SELECT coalesce(min(id), 0) AS first FROM bare_queue');
      const first = Number(row?.first ?? 0);
      const middle = first + Math.ceil(count / 2);
      await Promise.all([work(first, middle), work(middle, first + count)]);
    },
    close: async () => pool.end(),
  };
};
