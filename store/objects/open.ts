import { patience, persist } from '../backoff.ts';
import { type Binaries, createBinaries } from '../binaries.ts';
import type { Database } from '../database.ts';
import { StoreError, StoreReason } from '../error.ts';
import { NO_OBSERVER, type StoreObserver } from '../observer.ts';
import { type Payloads, PAYLOADS_IN_ROWS } from '../payloads.ts';
import { binariesInRows, objectBinaries } from './binaries.ts';
import { largePayloads } from './large-payloads.ts';
import type { ObjectStorage, ObjectStorageSettings } from './object-storage.ts';
import { pruneObjects } from './prune.ts';

/** Warnings of one kind are logged so often. */
const WARN_EVERY_MS = 30_000;

export interface ObjectsOptions {
  /** Default: all is in PostgreSQL. */
  objectStorage?: ObjectStorageSettings | undefined;
  observer?: StoreObserver;
  log?: { warn(fields: object, message: string): void };
  /** How long to wait for the object storage. Default 0: fail at once. */
  waitMs?: number;
}

/** Where a store keeps what is large. */
export interface Objects {
  payloads: Payloads;
  /** Rejects with ObjectStorageMisconfigured when another database's objects are there: each would remove those of the other. */
  own(database: string): Promise<void>;
  binaries(database: Database): Binaries;
  prune(parts: { database: Database; now(): number }, retentionDays: number): Promise<number>;
  problem(): StoreReason | undefined;
  onUnreadable(executionId: string, code: StoreReason): void;
  close(): void;
}

/** With object storage: once it can be written and read. Rejects with ObjectStorageUnavailable or ObjectStorageRefused. */
export async function openObjects({ objectStorage, observer = NO_OBSERVER, log, waitMs = 0 }: ObjectsOptions): Promise<Objects> {
  const onUnreadable = (execution: string, code: StoreReason): void => { log?.warn({ execution, code }, 'Put an execution back whose payloads cannot be read'); };
  if (objectStorage === undefined) {
    return {
      payloads: PAYLOADS_IN_ROWS, onUnreadable, own: async () => undefined,
      binaries: (database) => binariesInRows(database, createBinaries(database)),
      prune: async () => 0, problem: () => undefined, close: () => undefined,
    };
  }
  const { openS3 } = await import('./s3.ts');
  const storage = await openS3(objectStorage, observer);
  try {
    await persist(async () => storage.check(), { isTransient: (error) => error instanceof StoreError && error.transient, giveUpMs: waitMs });
  } catch (error) {
    storage.close();
    throw error;
  }
  let warned = -Infinity;
  const onKeptInRow = ({ code, message }: StoreError): void => {
    if (patience.elapsed() - warned < WARN_EVERY_MS) return;
    warned = patience.elapsed();
    log?.warn({ code, reason: message }, 'Kept large payloads in PostgreSQL, because the object storage failed');
  };
  return {
    payloads: largePayloads({ storage, from: objectStorage.payloadBytes, onKeptInRow }), onUnreadable,
    own: async (database) => own(storage, database),
    binaries: (database) => objectBinaries({ database, storage, rows: createBinaries(database) }),
    prune: async (parts, retentionDays) => pruneObjects({ ...parts, storage }, { retentionDays }),
    problem: () => storage.problem()?.code,
    close: () => { storage.close(); },
  };
}

const OWNER_KEY = 'installation';

async function own(storage: ObjectStorage, database: string): Promise<void> {
  const owner = await storage.get(OWNER_KEY);
  if (owner === undefined) await storage.put(OWNER_KEY, Buffer.from(database));
  else if (owner.toString('utf8') !== database) {
    throw new StoreError(StoreReason.ObjectStorageMisconfigured, `The bucket holds objects of another database under this prefix: name another prefix; remove the object '${OWNER_KEY}' there if this is the same database with a new key for resume addresses`);
  }
}
