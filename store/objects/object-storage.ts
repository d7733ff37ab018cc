/** Where objects are kept, as of `keys.ts`. Every call rejects with a StoreError whose code begins with ObjectStorage; it names no credentials. */
export interface ObjectStorage {
  /** Durable when it resolves. Puts the object in the place of an earlier one of that key. */
  put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** As `put`, while the bytes come; holds one part at a time. Nothing is there under the key until it resolves. */
  write(key: string, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
  /** Bytes of memory that a `write` takes. */
  readonly writeBytes: number;
  /** Undefined: there is no such object. */
  get(key: string): Promise<Buffer | undefined>;
  /** So many bytes from an offset on; what is behind the end is left out. Undefined: there is no such object. */
  read(key: string, offset: number, length: number): Promise<Buffer | undefined>;
  /** Pages of at most 1,000 objects, in the order of their keys. */
  list(prefix: string): AsyncIterable<StoredObject[]>;
  /** The next parts of keys below a prefix that ends with a slash: `['2026-11-23/', …]`. */
  folders(prefix: string): Promise<string[]>;
  /** Those that are gone already count as removed. */
  remove(keys: readonly string[]): Promise<void>;
  /** Forgets uploads of files and payloads in parts that were begun before, and never ended. */
  abortUploads(before: number): Promise<void>;
  /** Writes, reads and removes an object. */
  check(): Promise<void>;
  /** What the last call that had an answer, or waited for one in vain, said about the storage; undefined while it answers. */
  problem(): ObjectStorageProblem | undefined;
  close(): void;
}

export interface StoredObject {
  key: string;
  /** Milliseconds since the epoch, by the clock of the storage. */
  writtenAt: number;
}

export interface ObjectStorageProblem {
  code: 'ObjectStorageUnavailable' | 'ObjectStorageRefused';
  /** Milliseconds, monotonic. */
  since: number;
}

export interface ObjectStorageSettings {
  bucket: string;
  /** Default where an endpoint is given: `us-east-1`, which servers besides AWS take for theirs. */
  region?: string;
  /** `https://minio.example:9000`. Default: AWS. */
  endpoint?: string;
  /** In front of every key, ends with a slash or is empty. */
  prefix: string;
  /** The bucket's name in the path instead of the host name. */
  forcePathStyle: boolean;
  /** Encoded payloads over so many bytes are objects. */
  payloadBytes: number;
  /** Certificates in PEM that are trusted beside the public ones. */
  ca?: string;
}
