import { patience } from '../backoff.ts';
import { StoreError } from '../error.ts';
import { encodePayload } from '../payload.ts';
import type { PayloadLife, Payloads } from '../payloads.ts';
import { newKey } from './keys.ts';
import type { ObjectStorage } from './object-storage.ts';
import { checkObject, decodeReference, encodeReference, isReference } from './reference.ts';

/** A storage that just failed is not waited for again so soon: rows take the payloads meanwhile. */
const REST_MS = 5000;
/** Others may wait in one batch with a payload that is being written. */
const PUT_MS = 5000;
const BYTES_PER_MS = 4000;

export interface LargePayloadsOptions {
  storage: Pick<ObjectStorage, 'put' | 'get' | 'problem'>;
  /** Encoded payloads over so many bytes are objects. */
  from: number;
  /** A payload stays in its row because the storage failed. */
  onKeptInRow(error: StoreError): void;
}

/**
 * An object is durable before its row is written. A payload that cannot become an object stays in its row: what is to be written has been accepted from
 * somebody or has had its effect, and not to record it would lose it, or do it again.
 */
export function largePayloads({ storage, from, onKeptInRow }: LargePayloadsOptions): Payloads {
  async function offload<Bytes extends Uint8Array>(bytes: Bytes, life: PayloadLife, executionId: string): Promise<Bytes | Buffer> {
    const problem = storage.problem();
    if (problem !== undefined && patience.elapsed() - problem.since < REST_MS) return bytes;
    const key = newKey(life, executionId);
    try {
      await storage.put(key, bytes, AbortSignal.timeout(PUT_MS + Math.ceil(bytes.byteLength / BYTES_PER_MS)));
      return encodeReference(key, bytes);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      onKeptInRow(error);
      return bytes;
    }
  }

  async function fetched(stored: Buffer): Promise<Buffer> {
    const reference = decodeReference(stored);
    return checkObject(reference, await storage.get(reference.key));
  }

  return {
    async encode(value, life, executionId) {
      const bytes = await encodePayload(value);
      return bytes.length <= from ? bytes : offload(bytes, life, executionId);
    },
    keep: (bytes, life, executionId) => (bytes.byteLength <= from ? bytes : offload(bytes, life, executionId)),
    load: (stored) => (isReference(stored) ? fetched(stored) : stored),
  };
}
