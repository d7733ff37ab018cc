import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { extname } from 'node:path';
import type { BinaryReference } from '../../runner/engine/item.ts';
import type { Store } from '../../store/store.ts';
import { contentKind, mediaType } from './content-type.ts';
import { readMultipart } from './multipart.ts';
import type { FormFile } from './multipart.ts';
import { parseBody } from './parse-body.ts';
import { streamBody, withBody } from './read-body.ts';
import type { ByteBudget } from './read-body.ts';
import { storeFile } from './store-file.ts';

/** What a webhook does with the bytes of a request. */
export interface BodySettings {
  /** Keep the bytes as a file beside what they mean, for signatures. */
  rawBody: boolean;
  /** Take any body as a file only. */
  binaryData: boolean;
  /** Name of the item's file; files of a form get it with a number behind it. Undefined: `data`, and the fields' names. */
  propertyName: string | undefined;
}

/** Where files of executions that do not exist yet go. */
export interface FileStore {
  newExecutionId(): string;
  write: Store['binaries']['write'];
  /** Bytes of memory that a `write` takes. */
  readonly writeBytes: number;
}

export interface BodyLimits {
  /** Bytes of a body, or of the fields of a form, that are held in memory. */
  bodyBytes: number;
  /** Bytes of a body whose files go to the store as they come. */
  fileBytes: number;
}

export interface ReceivedBody {
  body: unknown;
  files?: Record<string, BinaryReference>;
  /** The execution that the files were stored for. */
  executionId?: string;
}

/**
 * Reads a request's body and hands it to `use`, while whose work the memory it takes counts against the budget. Throws ApiError. With
 * `executionId` the files belong to that execution, else to one that is still to come.
 */
export async function receiveBody<T>(
  request: IncomingMessage,
  options: { settings: BodySettings; limits: BodyLimits; budget: ByteBudget; files: FileStore; executionId?: string },
  use: (received: ReceivedBody) => Promise<T>,
): Promise<T> {
  const { settings, limits, budget, files } = options;
  const type = request.headers['content-type'];
  const kind = contentKind(mediaType(type));
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && (kind === 'multipart' || kind === 'file' || settings.binaryData)) {
    budget.take(files.writeBytes);
    try {
      const executionId = options.executionId ?? files.newExecutionId();
      const taken = new TakenFiles(files, executionId);
      const bytes = streamBody(request, limits.fileBytes);
      const body = kind === 'multipart' ? await taken.form(bytes, request, { limits, settings }) : await taken.whole(bytes, request, settings);
      return await use({ body, ...taken.found() });
    } finally {
      budget.give(files.writeBytes);
    }
  }
  return withBody(request, { limit: limits.bodyBytes, budget }, async (bytes) => {
    const body = parseBody(bytes, type);
    if (!settings.rawBody || bytes.length === 0) return use({ body });
    const executionId = options.executionId ?? files.newExecutionId();
    const taken = new TakenFiles(files, executionId);
    await taken.whole([bytes], request, settings);
    return use({ body, ...taken.found() });
  });
}

/** The files of one request. */
class TakenFiles {
  readonly #store: FileStore;
  readonly #executionId: string;
  readonly #files = new Map<string, BinaryReference>();
  #count = 0;

  constructor(store: FileStore, executionId: string) {
    this.#store = store;
    this.#executionId = executionId;
  }

  found(): Pick<ReceivedBody, 'files' | 'executionId'> {
    return this.#files.size === 0 ? {} : { files: Object.fromEntries(this.#files), executionId: this.#executionId };
  }

  async whole(bytes: AsyncIterable<Buffer> | Iterable<Buffer>, request: IncomingMessage, { propertyName = 'data' }: BodySettings): Promise<object> {
    const mimeType = mediaType(request.headers['content-type'] ?? 'application/octet-stream');
    this.#files.set(propertyName, await this.#save({ fileName: '', mimeType }, bytes));
    return {};
  }

  async form(bytes: AsyncIterable<Buffer>, request: IncomingMessage, { limits, settings }: { limits: BodyLimits; settings: BodySettings }): Promise<Record<string, unknown>> {
    return readMultipart(bytes, request.headers, {
      fieldBytes: limits.bodyBytes,
      takeFile: async (file, content) => {
        const property = this.#nameFor(file.field, settings.propertyName);
        this.#files.set(property, await this.#save(file, content));
      },
    });
  }

  /** A field with several files gets a number from the second on, as a form with a prefix does from the first. */
  #nameFor(field: string, prefix: string | undefined): string {
    if (prefix !== undefined) {
      this.#count += 1;
      return `${prefix}${this.#count - 1}`;
    }
    const name = field.endsWith('[]') ? field.slice(0, -2) : field;
    let free = name;
    for (let number = 1; this.#files.has(free); number += 1) free = `${name}${number}`;
    return free;
  }

  async #save({ fileName, mimeType }: Pick<FormFile, 'fileName' | 'mimeType'>, bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<BinaryReference> {
    const id = randomUUID();
    const written = await storeFile(this.#store, { executionId: this.#executionId, id }, each(bytes));
    const extension = extname(fileName).slice(1).toLowerCase();
    return { id, mimeType, ...written, ...(fileName === '' ? {} : { fileName }), ...(extension === '' ? {} : { fileExtension: extension }) };
  }
}

async function* each(bytes: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* bytes;
}
