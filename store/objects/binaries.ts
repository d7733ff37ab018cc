import { createHash } from 'node:crypto';
import type { Binaries } from '../binaries.ts';
import type { Database, Statement } from '../database.ts';
import { StoreError, StoreReason } from '../error.ts';
import { fileKey } from './keys.ts';
import type { ObjectStorage } from './object-storage.ts';

/** What a reader takes at once is in memory as a whole. */
const MAX_WHOLE_BYTES = 256 * 2 ** 20;
/** Written in parts and read in parts, a file costs no memory: the limit is there so that a stream that never ends does. */
const MAX_BYTES = 5 * 2 ** 30;

const PUT: Statement = { name: 'object-put', text: 'INSERT INTO millrace.binary_object (id, execution_id) VALUES ($1, $2) ON CONFLICT DO NOTHING' };

const FIND: Statement = { name: 'object-find', text: 'SELECT execution_id FROM millrace.binary_object WHERE id = $1' };

/** Files in object storage, each with a small row that is written once the object is there. What was stored in PostgreSQL before is read there. */
export function objectBinaries({ database, storage, rows }: { database: Database; storage: ObjectStorage; rows: Binaries }): Binaries {
  async function keyOf(id: string): Promise<string | undefined> {
    const [row] = await database.query<{ execution_id: string }>(FIND, [id]);
    return row && fileKey(row.execution_id, id);
  }

  return {
    writeBytes: storage.writeBytes,
    async put({ executionId, id, bytes }) {
      if (bytes.byteLength > MAX_WHOLE_BYTES) throw tooLarge(MAX_WHOLE_BYTES);
      await storage.put(fileKey(executionId, id), bytes);
      await database.query(PUT, [id, executionId]);
    },
    async write({ executionId, id }, bytes) {
      const digest = createHash('sha256');
      let size = 0;
      async function* counted(): AsyncGenerator<Uint8Array> {
        for await (const piece of bytes) {
          size += piece.byteLength;
          if (size > MAX_BYTES) throw tooLarge(MAX_BYTES);
          digest.update(piece);
          yield piece;
        }
      }
      await storage.write(fileKey(executionId, id), counted());
      await database.query(PUT, [id, executionId]);
      return { size, sha256: digest.digest('hex') };
    },
    async get(id) {
      const key = await keyOf(id);
      if (key === undefined) return rows.get(id);
      const bytes = await storage.read(key, 0, MAX_WHOLE_BYTES + 1);
      if (bytes !== undefined && bytes.length > MAX_WHOLE_BYTES) throw tooLarge(MAX_WHOLE_BYTES);
      return bytes;
    },
    async read(id, offset, length) {
      const key = await keyOf(id);
      return key === undefined ? rows.read(id, offset, length) : storage.read(key, offset, Math.min(length, MAX_WHOLE_BYTES));
    },
    prune: () => rows.prune(),
  };
}

/** Without object storage: a file that is there all the same is not just unknown. */
export function binariesInRows(database: Database, rows: Binaries): Binaries {
  const known = async (id: string, found: Uint8Array | undefined): Promise<Uint8Array | undefined> => {
    if (found !== undefined || (await database.query(FIND, [id])).length === 0) return found;
    throw new StoreError(StoreReason.ObjectStorageOff, `The file ${id} is in object storage, and none is configured: configure the one that it was written to`);
  };
  return {
    ...rows,
    get: async (id) => known(id, await rows.get(id)),
    read: async (id, offset, length) => known(id, await rows.read(id, offset, length)),
  };
}

function tooLarge(limit: number): StoreError {
  return new StoreError(StoreReason.PayloadRefused, `A file is over the limit of ${limit} bytes for what is read or written at once`);
}
