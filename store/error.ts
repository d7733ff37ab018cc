/** Why the store refused or failed. Stable, documented in store/README.md. */
export const StoreReason = {
  /** PostgreSQL cannot be reached, is starting or shutting down. Try again. */
  StoreUnavailable: 'StoreUnavailable',
  /** PostgreSQL answered, but not in time. */
  StoreTimeout: 'StoreTimeout',
  /** The schema is older than this version of Millrace: run `node store/main.ts migrate`. */
  SchemaOutdated: 'SchemaOutdated',
  /** The schema is newer than this version of Millrace: use the newer version, or restore a backup. */
  SchemaTooNew: 'SchemaTooNew',
  /** An applied migration differs from the file of that number: the schema is not ours to change. */
  MigrationChanged: 'MigrationChanged',
  /** PostgreSQL may forget committed work: fsync or full_page_writes is off. */
  DurabilityOff: 'DurabilityOff',
  /** PostgreSQL is older than version 18. */
  DatabaseTooOld: 'DatabaseTooOld',
  /** A value cannot be stored: too large, or not JSON. */
  PayloadRefused: 'PayloadRefused',
  /** A route names a revision that is not stored: put it first. */
  RevisionNotFound: 'RevisionNotFound',
  /** Two definitions have the same SHA-256, or a stored row was changed by hand. */
  RevisionCollision: 'RevisionCollision',
  /** The environment names an object storage in a way that cannot be right. */
  ObjectStorageMisconfigured: 'ObjectStorageMisconfigured',
  /** The object storage cannot be reached or does not answer. Try again. */
  ObjectStorageUnavailable: 'ObjectStorageUnavailable',
  /** The object storage refuses: credentials, their rights, bucket or region are wrong. */
  ObjectStorageRefused: 'ObjectStorageRefused',
  /** A payload or file is in object storage, and none is configured (any more). */
  ObjectStorageOff: 'ObjectStorageOff',
  /** The object of a payload is gone, or was changed: restore it. */
  ObjectMissing: 'ObjectMissing',
  /** The store was closed. */
  StoreClosed: 'StoreClosed',
  /** Any other error of PostgreSQL; `cause` has it. */
  StoreFailed: 'StoreFailed',
} as const;
export type StoreReason = (typeof StoreReason)[keyof typeof StoreReason];

/** The only error the store throws. Judge it by `code`; its message says what to do and never holds a value that was stored. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreReason;

  constructor(code: StoreReason, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same call may succeed later. */
  get transient(): boolean {
    return this.code === StoreReason.StoreUnavailable || this.code === StoreReason.StoreTimeout || this.code === StoreReason.ObjectStorageUnavailable;
  }
}
