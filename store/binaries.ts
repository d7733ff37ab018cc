import { createHash } from 'node:crypto';
import { inBlocks } from './blocks.ts';
import type { Database, Statement } from './database.ts';
import { StoreError, StoreReason } from './error.ts';

/** Files of executions. They live as long as their execution is kept. */
export interface Binaries {
  /** `id` is a UUID that the caller made up. Durable when it resolves; idempotent. Rejects with PayloadRefused over 256 MiB. */
  put(file: { executionId: string; id: string; bytes: Uint8Array }): Promise<void>;
  /** As `put`, while the bytes come: holds one chunk at a time. When it rejects, what was written is forgotten within the hour. */
  write(file: { executionId: string; id: string }, bytes: AsyncIterable<Uint8Array>): Promise<{ size: number; sha256: string }>;
  /** Bytes of memory that a `write` takes. */
  readonly writeBytes: number;
  get(id: string): Promise<Uint8Array | undefined>;
  /** So many bytes from an offset on, fewer at the end of the file and none behind it. Undefined: there is no such file. */
  read(id: string, offset: number, length: number): Promise<Uint8Array | undefined>;
  /** Forgets files of executions that are neither under way nor kept. Resolves to how many chunks that were. */
  prune(): Promise<number>;
}

const CHUNK_BYTES = 2 ** 20;
const MAX_BYTES = 256 * 2 ** 20;

const PUT: Statement = {
  name: 'binary-put',
  text: 'INSERT INTO millrace.binary_chunk (id, chunk, execution_id, bytes) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
};

const GET: Statement = { name: 'binary-get', text: 'SELECT bytes FROM millrace.binary_chunk WHERE id = $1 AND chunk = $2' };

/** Chunks but the last are of one size, so an offset says where it is. */
const READ: Statement = {
  name: 'binary-read',
  text: `
    SELECT substring(b.bytes FROM greatest(0, $2::int - b.chunk * ${CHUNK_BYTES}) + 1
      FOR least(${CHUNK_BYTES}, $2 + $3::int - b.chunk * ${CHUNK_BYTES}) - greatest(0, $2 - b.chunk * ${CHUNK_BYTES})) AS bytes
    FROM millrace.binary_chunk b WHERE b.id = $1 AND b.chunk BETWEEN $2 / ${CHUNK_BYTES} AND ($2 + $3 - 1) / ${CHUNK_BYTES} ORDER BY b.chunk`,
};

const EXISTS: Statement = { name: 'binary-exists', text: 'SELECT FROM millrace.binary_chunk WHERE id = $1 AND chunk = 0' };

// An hour is longer than an execution that just ended takes from the queue to the history.
const PRUNE: Statement = {
  name: 'binary-prune',
  text: `
    WITH gone AS (
      DELETE FROM millrace.binary_chunk b
      WHERE b.created_at < now() - interval '1 hour'
        AND NOT EXISTS (SELECT FROM millrace.queue q WHERE q.id = b.execution_id)
        AND NOT EXISTS (SELECT FROM millrace.execution e WHERE e.id = b.execution_id AND e.kept = 'All')
        AND NOT EXISTS (SELECT FROM millrace.dead_letter d WHERE d.id = b.execution_id)
      RETURNING 1)
    SELECT count(*) AS count FROM gone`,
};

export function createBinaries(database: Database): Binaries {
  return {
    writeBytes: 2 * CHUNK_BYTES,
    async put({ executionId, id, bytes }) {
      if (bytes.byteLength > MAX_BYTES) {
        throw new StoreError(StoreReason.PayloadRefused, `A file of ${bytes.byteLength} bytes is over the limit of ${MAX_BYTES}: keep large files in object storage`);
      }
      await database.transaction(async (transaction) => {
        for (let chunk = 0; chunk === 0 || chunk * CHUNK_BYTES < bytes.byteLength; chunk += 1) {
          await transaction.query(PUT, [id, chunk, executionId, Buffer.from(bytes.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES))]);
        }
      });
    },
    async write({ executionId, id }, bytes) {
      const digest = createHash('sha256');
      let size = 0;
      let chunk = 0;
      for await (const block of inBlocks(bytes, CHUNK_BYTES)) {
        size += block.length;
        if (size > MAX_BYTES) throw new StoreError(StoreReason.PayloadRefused, `A file is over the limit of ${MAX_BYTES} bytes: keep large files in object storage`);
        digest.update(block);
        await database.query(PUT, [id, chunk, executionId, block]);
        chunk += 1;
      }
      // A file without bytes has a chunk too: that it is there.
      if (chunk === 0) await database.query(PUT, [id, 0, executionId, Buffer.alloc(0)]);
      return { size, sha256: digest.digest('hex') };
    },
    async get(id) {
      const chunks: Buffer[] = [];
      for (;;) {
        const [row] = await database.query<{ bytes: Buffer }>(GET, [id, chunks.length]);
        if (row === undefined) break;
        chunks.push(row.bytes);
        if (row.bytes.length < CHUNK_BYTES) break;
      }
      return chunks.length === 0 ? undefined : Buffer.concat(chunks);
    },
    async read(id, offset, length) {
      const rows = await database.query<{ bytes: Buffer }>(READ, [id, offset, Math.min(length, MAX_BYTES)]);
      if (rows.length === 0 && (await database.query(EXISTS, [id])).length === 0) return undefined;
      return Buffer.concat(rows.map(({ bytes }) => bytes));
    },
    async prune() {
      const [row] = await database.query<{ count: number }>(PRUNE);
      return row?.count ?? 0;
    },
  };
}
