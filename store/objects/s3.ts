import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import type * as S3Sdk from '@aws-sdk/client-s3';
import type { CompletedPart, ListObjectsV2CommandOutput, S3Client } from '@aws-sdk/client-s3';
import { patience } from '../backoff.ts';
import { inBlocks } from '../blocks.ts';
import { StoreReason } from '../error.ts';
import type { ObjectOperation, StoreObserver } from '../observer.ts';
import { executionOf } from './keys.ts';
import type { ObjectStorage, ObjectStorageProblem, ObjectStorageSettings, StoredObject } from './object-storage.ts';
import { isMissing, isUnsupported, toObjectError } from './s3-error.ts';

type Sdk = typeof S3Sdk;

/** The least that S3 takes as a part, so the least memory that an upload needs. 10,000 of them are 48 GiB. */
const PART_BYTES = 5 * 2 ** 20;
const CONNECT_MS = 2000;
const ANSWER_MS = 10_000;
const ATTEMPTS = 3;
const SOCKETS = 64;
/** As many as one request removes. */
const REMOVED_AT_ONCE = 1000;

/** Any server that speaks S3. Its SDK is loaded here and nowhere else: it takes 40 MB of memory, which only those pay who use it. */
export async function openS3(settings: ObjectStorageSettings, observer: Pick<StoreObserver, 'object'>): Promise<ObjectStorage> {
  const sdk = await import('@aws-sdk/client-s3');
  const { region = 'us-east-1', endpoint, forcePathStyle, ca } = settings;
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  const client = new sdk.S3Client({
    region, forcePathStyle, maxAttempts: ATTEMPTS,
    ...(endpoint !== undefined && { endpoint }),
    // Others than AWS do not know the checksums that AWS has made the default.
    requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true, socketTimeout: ANSWER_MS,
      httpAgent: new HttpAgent(agent), httpsAgent: new HttpsAgent({ ...agent, ...(ca !== undefined && { ca: [...rootCertificates, ca] }) }),
    },
  });
  return new S3({ sdk, client, settings, observer });
}

class S3 implements ObjectStorage {
  /** A part, and what is under way of it. */
  readonly writeBytes = PART_BYTES + 2 ** 20;
  readonly #sdk: Sdk;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #observer: Pick<StoreObserver, 'object'>;
  #problem: ObjectStorageProblem | undefined;

  constructor({ sdk, client, settings, observer }: { sdk: Sdk; client: S3Client; settings: ObjectStorageSettings; observer: Pick<StoreObserver, 'object'> }) {
    this.#sdk = sdk;
    this.#client = client;
    this.#bucket = settings.bucket;
    this.#prefix = settings.prefix;
    this.#observer = observer;
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    if (bytes.byteLength <= PART_BYTES) await this.#put(key, bytes, signal);
    else await this.write(key, piecesOf(bytes), signal);
  }

  async write(key: string, bytes: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const parts = inBlocks(bytes, PART_BYTES);
    const first = await parts.next();
    if (first.done === true) await this.#put(key, Buffer.alloc(0), signal);
    else if (first.value.length < PART_BYTES) await this.#put(key, first.value, signal);
    else await this.#putInParts(key, inOrder(first.value, parts), signal);
  }

  async get(key: string): Promise<Buffer | undefined> {
    return this.#get(key);
  }

  async read(key: string, offset: number, length: number): Promise<Buffer | undefined> {
    if (length > 0) return this.#get(key, `bytes=${offset}-${offset + length - 1}`);
    return (await this.#get(key, 'bytes=0-0')) && Buffer.alloc(0);
  }

  async *list(prefix: string): AsyncGenerator<StoredObject[]> {
    for await (const { Contents = [] } of this.#pages(prefix)) {
      yield Contents.map(({ Key = '', LastModified }) => ({ key: Key.slice(this.#prefix.length), writtenAt: LastModified?.getTime() ?? Infinity }));
    }
  }

  async folders(prefix: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { CommonPrefixes = [] } of this.#pages(prefix, '/')) found.push(...CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(this.#prefix.length + prefix.length)));
    return found;
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += REMOVED_AT_ONCE) await this.#removeSome(keys.slice(at, at + REMOVED_AT_ONCE).map((key) => this.#prefix + key));
  }

  async abortUploads(before: number): Promise<void> {
    // Those that are left for the next time are those of a storage that is being written to a lot.
    const { Uploads = [] } = await this.#call('list', () => this.#client.send(new this.#sdk.ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: this.#prefix })));
    for (const { Key, UploadId, Initiated } of Uploads) {
      if (Key === undefined || UploadId === undefined || Initiated === undefined || Initiated.getTime() >= before) continue;
      if (executionOf(Key.slice(this.#prefix.length)) !== undefined) await this.#abort(Key, UploadId);
    }
  }

  async check(): Promise<void> {
    const key = `check/${randomUUID()}`;
    await this.put(key, Buffer.from('Millrace'));
    await this.get(key);
    await this.remove([key]);
  }

  problem(): ObjectStorageProblem | undefined {
    return this.#problem;
  }

  close(): void {
    this.#client.destroy();
  }

  async *#pages(prefix: string, delimiter?: string): AsyncGenerator<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const command = new this.#sdk.ListObjectsV2Command({ Bucket: this.#bucket, Prefix: this.#prefix + prefix, Delimiter: delimiter, ContinuationToken: token });
      const page = await this.#call('list', () => this.#client.send(command));
      token = page.NextContinuationToken;
      yield page;
    } while (token !== undefined);
  }

  async #put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const command = new this.#sdk.PutObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key, Body: bytes, ContentLength: bytes.byteLength });
    await this.#call('put', () => this.#client.send(command, until(signal)));
  }

  async #putInParts(key: string, parts: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<void> {
    const target = { Bucket: this.#bucket, Key: this.#prefix + key };
    const { UploadId = '' } = await this.#call('put', () => this.#client.send(new this.#sdk.CreateMultipartUploadCommand(target), until(signal)));
    const Parts: CompletedPart[] = [];
    try {
      for await (const part of parts) {
        const PartNumber = Parts.length + 1;
        const command = new this.#sdk.UploadPartCommand({ ...target, UploadId, PartNumber, Body: part, ContentLength: part.length });
        const { ETag } = await this.#call('put', () => this.#client.send(command, until(signal)));
        Parts.push({ PartNumber, ...(ETag !== undefined && { ETag }) });
      }
      await this.#call('put', () => this.#client.send(new this.#sdk.CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }), until(signal)));
    } catch (error) {
      // What cannot be aborted now is by `abortUploads`, or by a rule of the bucket.
      await this.#abort(target.Key, UploadId, AbortSignal.timeout(CONNECT_MS)).catch(() => undefined);
      throw error;
    }
  }

  async #abort(key: string, upload: string, signal?: AbortSignal): Promise<void> {
    const command = new this.#sdk.AbortMultipartUploadCommand({ Bucket: this.#bucket, Key: key, UploadId: upload });
    await this.#call('remove', () => this.#client.send(command, until(signal)));
  }

  async #get(key: string, range?: string): Promise<Buffer | undefined> {
    return this.#call('get', async () => {
      try {
        const { Body } = await this.#client.send(new this.#sdk.GetObjectCommand({ Bucket: this.#bucket, Key: this.#prefix + key, ...(range !== undefined && { Range: range }) }));
        const bytes = await Body?.transformToByteArray();
        return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      } catch (error) {
        if (isMissing(error)) return undefined;
        if (isBehindEnd(error)) return Buffer.alloc(0);
        throw error;
      }
    });
  }

  async #removeSome(keys: readonly string[]): Promise<void> {
    await this.#call('remove', async () => {
      try {
        const { Errors = [] } = await this.#client.send(new this.#sdk.DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Quiet: true, Objects: keys.map((Key) => ({ Key })) } }));
        if (Errors.length > 0) throw Object.assign(new Error(), { code: Errors[0]?.Code, $metadata: { httpStatusCode: 403 } });
      } catch (error) {
        if (!isUnsupported(error)) throw error;
        for (const Key of keys) await this.#client.send(new this.#sdk.DeleteObjectCommand({ Bucket: this.#bucket, Key }));
      }
    });
  }

  async #call<T>(operation: ObjectOperation, work: () => Promise<T>): Promise<T> {
    const start = patience.elapsed();
    try {
      const result = await work();
      this.#problem = undefined;
      this.#observer.object(operation, patience.elapsed() - start);
      return result;
    } catch (error) {
      const known = toObjectError(error);
      const code = known.code === StoreReason.ObjectStorageRefused ? known.code : StoreReason.ObjectStorageUnavailable;
      this.#problem = { code, since: patience.elapsed() };
      this.#observer.object(operation, patience.elapsed() - start, code);
      throw known;
    }
  }
}

function isBehindEnd(error: unknown): boolean {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 416;
}

function until(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

async function* inOrder(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
