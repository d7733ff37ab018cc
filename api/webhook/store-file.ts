import { StoreError } from '../../store/error.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';

/** Stores a file as its bytes come from a caller. Throws ApiError BodyTooLarge and Unavailable, after which the connection is not used again. */
export async function storeFile(store: Pick<Store['binaries'], 'write'>, file: { executionId: string; id: string }, bytes: AsyncIterable<Uint8Array>): Promise<{ size: number; sha256: string }> {
  try {
    return await store.write(file, bytes);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'PayloadRefused') throw new ApiError('BodyTooLarge', 'A file is too large.', { headers: { connection: 'close' }, cause: error });
    throw new ApiError('Unavailable', 'A file could not be stored.', { headers: { 'retry-after': '1', connection: 'close' }, cause: error });
  }
}
