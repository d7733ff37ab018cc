import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { promisify } from 'node:util';
import { StoreError, StoreReason } from './error.ts';

/** Below this, compressing costs more than it saves. */
const COMPRESS_FROM = 8 * 1024;
/** Above this, compression leaves the event loop for the thread pool. */
const THREAD_FROM = 128 * 1024;
/** JSON of one payload, in bytes. */
export const MAX_PAYLOAD_BYTES = 128 * 1024 * 1024;
const ZSTD_MAGIC = 0xfd_2f_b5_28;

const settings = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const compressInThread = promisify(zstdCompress);

/** Anything JSON as bytes, compressed when it is large. Throws PayloadRefused. */
export async function encodePayload(value: unknown): Promise<Buffer> {
  const json = Buffer.from(stringify(value), 'utf8');
  if (json.length > MAX_PAYLOAD_BYTES) {
    throw new StoreError(StoreReason.PayloadRefused, `A payload of ${json.length} bytes is over the limit of ${MAX_PAYLOAD_BYTES}: keep large data in files or object storage`);
  }
  if (json.length < COMPRESS_FROM) return json;
  return json.length < THREAD_FROM ? zstdCompressSync(json, settings) : compressInThread(json, settings);
}

function stringify(value: unknown): string {
  try {
    const json: unknown = JSON.stringify(value);
    if (typeof json === 'string') return json;
  } catch (error) {
    throw new StoreError(StoreReason.PayloadRefused, 'A payload is not JSON: it holds a cycle or a bigint, or is too long', { cause: error });
  }
  throw new StoreError(StoreReason.PayloadRefused, 'A payload is not JSON');
}

/** What `encodePayload` was given. */
export function decodePayload(bytes: Buffer): unknown {
  const compressed = bytes.length >= 4 && bytes.readUInt32LE(0) === ZSTD_MAGIC;
  return JSON.parse((compressed ? zstdDecompressSync(bytes) : bytes).toString('utf8'));
}

/** Many payloads as one parameter: an array parameter would have to be escaped byte for byte. */
export interface Packed {
  blob: Buffer;
  /** From 1, as PostgreSQL's `substring` counts; null for an absent payload. */
  starts: (number | null)[];
  lengths: (number | null)[];
}

export function pack(payloads: readonly (Uint8Array | undefined)[]): Packed {
  let next = 1;
  const starts = payloads.map((payload) => {
    if (payload === undefined) return null;
    const start = next;
    next += payload.length;
    return start;
  });
  return {
    starts,
    blob: Buffer.concat(payloads.filter((payload) => payload !== undefined)),
    lengths: payloads.map((payload) => payload?.length ?? null),
  };
}

/** PostgreSQL's text cannot hold U+0000. */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\u{fffd}');
}
