import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { BinaryReference } from '../../runner/engine/item.ts';
import { readContainerSpec } from '../../runner/nodes/container/container-spec.ts';
import type { ArtifactIn, ArtifactOut, Artifacts } from '../../runner/nodes/container/artifact-spec.ts';
import { extensionOf, mimeTypeOf } from '../../runner/nodes/mime-types.ts';
import type { Binaries } from '../../store/binaries.ts';
import type { PodFile, PodStep, PodSteps } from '../../store/pod-steps.ts';
import { ApiError } from '../problem.ts';
import type { Handler } from '../webhook/in-flight.ts';
import { streamBody } from '../webhook/read-body.ts';
import type { ByteBudget } from '../webhook/read-body.ts';
import { storeFile } from '../webhook/store-file.ts';
import { stepOfCaller } from './pod-caller.ts';
import type { PodCallerOptions } from './pod-caller.ts';

export interface ExchangeOptions extends PodCallerOptions {
  steps: Pick<PodSteps, 'get' | 'keepFile'>;
  binaries: Pick<Binaries, 'read' | 'write' | 'writeBytes'>;
  /** Of what requests hold in memory. */
  budget: ByteBudget;
  /** Of a file that a pod gives. */
  maxBytes: number;
}

/** Bytes read at once of a file on its way. */
const PART_BYTES = 2 ** 20;
/** Of what a pod says why it gives none. */
const MAX_SAID_BYTES = 8192;
const Problem = z.object({ code: z.string().max(64), message: z.string() });

/**
 * Where pods of container nodes get files (`GET /inputs/<number>`), give some (`PUT /outputs/<number>`), or say why they do not (`POST /outputs/<number>`).
 * Throws ApiError: what `stepOfCaller` throws, NotFound, MethodNotAllowed, ArtifactNotFound, MalformedBody, BodyTooLarge, TooManyRequests and Unavailable.
 */
export function artifactExchange(options: ExchangeOptions): Handler {
  return async (request, response) => {
    const [, direction, number] = /^\/(inputs|outputs)\/(\d{1,3})$/.exec(request.url ?? '') ?? [];
    if (direction === undefined) throw new ApiError('NotFound', 'There is nothing here but the files of steps.');
    const methods = direction === 'inputs' ? ['GET'] : ['PUT', 'POST'];
    if (!methods.includes(request.method ?? '')) throw new ApiError('MethodNotAllowed', 'Files of steps go one way.', { headers: { allow: methods.join(', ') } });
    const step = await stepOfCaller(request, options);
    const index = Number(number);
    const artifacts = artifactsOf(step);
    // Of what is read, the next part is there before the last has gone.
    const bytes = direction === 'inputs' ? 2 * PART_BYTES : options.binaries.writeBytes;
    options.budget.take(bytes);
    try {
      if (direction === 'inputs') await sendInput(artifacts.in?.[index], response, options);
      else await takeOutput(request, { step, index, output: artifacts.out?.[index] }, options);
    } finally {
      options.budget.give(bytes);
    }
    if (!response.writableEnded) response.writeHead(200).end();
  };
}

function artifactsOf({ spec }: PodStep): Artifacts {
  const read = readContainerSpec(spec);
  return 'spec' in read ? read.spec.artifacts ?? {} : {};
}

async function sendInput(input: ArtifactIn | undefined, response: ServerResponse, { binaries }: ExchangeOptions): Promise<void> {
  if (input?.raw !== undefined) {
    const bytes = Buffer.from(input.raw);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length }).end(bytes);
    return;
  }
  const file = input?.file;
  const first = file && await binaries.read(file.id, 0, PART_BYTES);
  if (!file || !first) throw new ApiError('ArtifactNotFound', 'The store does not have this file.');
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': file.size });
  await pipeline(Readable.from(rest(first, file, binaries)), response);
}

async function* rest(first: Uint8Array, { id, size }: { id: string; size: number }, binaries: Pick<Binaries, 'read'>): AsyncGenerator<Uint8Array> {
  yield first;
  for (let offset = first.length; offset < size;) {
    const part = await binaries.read(id, offset, PART_BYTES);
    if (part === undefined || part.length === 0) throw new Error(`File ${id} ends at ${offset} of ${size} bytes`);
    yield part;
    offset += part.length;
  }
}

/** It counts once the step knows of it: what was stored for a try that is over by then goes with its execution. */
async function takeOutput(request: IncomingMessage, { step, index, output }: { step: PodStep; index: number; output: ArtifactOut | undefined }, options: ExchangeOptions): Promise<void> {
  if (!output) throw new ApiError('ArtifactNotFound', 'The step gives no such file.');
  const given: PodFile = request.method === 'PUT' ? { file: await stored(request, step, { output, options }) } : { problem: await problemIn(request) };
  if (!(await options.steps.keepFile(step, index, given))) throw new ApiError('ArtifactRefused', 'The try is over.');
}

async function stored(request: IncomingMessage, { executionId }: PodStep, { output, options }: { output: ArtifactOut; options: ExchangeOptions }): Promise<BinaryReference> {
  const id = randomUUID();
  const written = await storeFile(options.binaries, { executionId, id }, streamBody(request, options.maxBytes));
  const { path, pack = false, fileName = `${posix.basename(path)}${pack ? '.tar.gz' : ''}` } = output;
  const mimeType = output.mimeType ?? (pack ? 'application/gzip' : mimeTypeOf(fileName) ?? 'application/octet-stream');
  const fileExtension = extensionOf(fileName, mimeType);
  return { id, mimeType, ...written, fileName, ...(fileExtension !== undefined && { fileExtension }) };
}

async function problemIn(request: IncomingMessage): Promise<{ code: string; message: string }> {
  const said = await text(streamBody(request, MAX_SAID_BYTES));
  try {
    return Problem.parse(JSON.parse(said));
  } catch (error) {
    throw new ApiError('MalformedBody', 'This does not say why there is no file.', { cause: error });
  }
}
