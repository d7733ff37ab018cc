import { createHash } from 'node:crypto';
import { StoreError, StoreReason } from '../error.ts';

/** What a row holds in the place of a payload that is an object. Size and digest are those of the object: the encoded payload. */
export interface PayloadReference {
  /** Without the prefix of the installation, so that objects can be moved. */
  key: string;
  size: number;
  sha256: string;
}

/** Begins with a byte that neither UTF-8 nor zstd's magic number begins with; the last one is the version. */
const MAGIC = Buffer.from([0xff, 0x6d, 0x72, 0x01]);

/** Looked at for every payload that is read. */
export function isReference(stored: Uint8Array): boolean {
  return stored[0] === 0xff;
}

export function encodeReference(key: string, bytes: Uint8Array): Buffer {
  const reference: PayloadReference = { key, size: bytes.byteLength, sha256: digestOf(bytes) };
  return Buffer.concat([MAGIC, Buffer.from(JSON.stringify(reference))]);
}

/** Throws ObjectMissing for what is no reference of this version. */
export function decodeReference(stored: Buffer): PayloadReference {
  if (!stored.subarray(0, MAGIC.length).equals(MAGIC)) throw new StoreError(StoreReason.ObjectMissing, 'A payload was stored by a newer version of Millrace');
  return JSON.parse(stored.toString('utf8', MAGIC.length)) as PayloadReference;
}

/** Throws ObjectMissing when the bytes are not those that the reference was made for. */
export function checkObject({ key, size, sha256 }: PayloadReference, bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) throw new StoreError(StoreReason.ObjectMissing, `The object ${key} of a payload is not in the object storage any more: restore it there`);
  if (bytes.length === size && digestOf(bytes) === sha256) return bytes;
  throw new StoreError(StoreReason.ObjectMissing, `The object ${key} of a payload has been changed: restore it in the object storage`);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
