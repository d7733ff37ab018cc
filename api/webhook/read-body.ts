import type { IncomingMessage } from 'node:http';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Transform } from 'node:stream';
import { ApiError } from '../problem.ts';

/** Bytes of request bodies that are held in memory at this moment, over all requests, against a bound. */
export class ByteBudget {
  readonly limit: number;
  #used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): void {
    if (this.#used + bytes > this.limit) throw new ApiError('TooManyRequests', 'Too many request bodies are in flight.', { headers: { 'retry-after': '1' } });
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }
}

const decoders: Record<string, () => Transform> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * Reads a whole body, decompressed. Throws BodyTooLarge as soon as Content-Length or the bytes so far (after decompression, so
 * that a small bomb does not count as small) exceed `limit`, and MalformedBody for one that ends early or cannot be decoded.
 * The bytes are charged to `budget` while `use` runs.
 */
export async function withBody<T>(request: IncomingMessage, limits: { limit: number; budget: ByteBudget }, use: (body: Buffer) => Promise<T>): Promise<T> {
  const { limit, budget } = limits;
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  let held = 0;
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of decoded(request)) {
      budget.take(chunk.length);
      held += chunk.length;
      if (held > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
    return await use(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
  } finally {
    budget.give(held);
  }
}

/**
 * The decompressed bytes of a body as they come, for those that go elsewhere at once; whoever takes them slowly slows the caller
 * down. Throws as `withBody` does.
 */
export async function* streamBody(request: IncomingMessage, limit: number): AsyncGenerator<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit);
  let seen = 0;
  for await (const chunk of decoded(request)) {
    seen += chunk.length;
    if (seen > limit) throw tooLarge(limit);
    yield chunk;
  }
}

async function* decoded(request: IncomingMessage): AsyncGenerator<Buffer> {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const decoder = decoders[encoding]?.();
  if (!decoder && encoding !== 'identity') throw new ApiError('MalformedBody', `The content encoding ${JSON.stringify(encoding)} is not known.`);
  try {
    if (decoder) request.on('error', (error) => decoder.destroy(error)).on('aborted', () => decoder.destroy(new Error('aborted'))).pipe(decoder);
    yield* decoder ?? request;
  } catch (error) {
    throw new ApiError('MalformedBody', 'The body ended early or could not be decoded.', { cause: error });
  }
}

function tooLarge(limit: number): ApiError {
  // The rest of the body is not read, so the connection cannot be used again.
  return new ApiError('BodyTooLarge', `The body is larger than ${limit} bytes.`, { headers: { connection: 'close' } });
}
