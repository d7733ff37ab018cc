import { StoreError, StoreReason } from './error.ts';
import { isReference } from './objects/reference.ts';
import { encodePayload } from './payload.ts';

/** How long what a payload belongs to lives: `live` until its execution has ended for good, `kept` as long as it is in the history. */
export type PayloadLife = 'live' | 'kept';

/** Where encoded payloads are: in their rows, or those that are large in object storage, with references in their rows. docs/adr/0015 says which columns may hold those. */
export interface Payloads {
  /** Anything JSON as a row is to hold it. Rejects with PayloadRefused. */
  encode(value: unknown, life: PayloadLife, executionId: string): Promise<Buffer>;
  /** As `encode`, of what is encoded already. */
  keep(bytes: Uint8Array, life: PayloadLife, executionId: string): Uint8Array | Promise<Uint8Array>;
  /** The encoded payload that a row stands for. Rejects with ObjectStorageOff, ObjectStorageUnavailable, ObjectStorageRefused or ObjectMissing. */
  load(stored: Buffer): Buffer | Promise<Buffer>;
}

/** No object storage is configured. */
export const PAYLOADS_IN_ROWS: Payloads = {
  encode: encodePayload,
  keep: (bytes) => bytes,
  load(stored) {
    if (!isReference(stored)) return stored;
    throw new StoreError(StoreReason.ObjectStorageOff, 'A payload is in object storage, and none is configured: configure the one that it was written to');
  },
};
