import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { readContainerSpec } from '../../runner/nodes/container/container-spec.ts';
import type { ArtifactIn, Artifacts } from '../../runner/nodes/container/artifact-spec.ts';
import type { Binaries } from '../../store/binaries.ts';
import type { PodStep } from '../../store/pod-steps.ts';
import { ApiError } from '../problem.ts';
import type { Handler } from '../webhook/in-flight.ts';
import { stepOfCaller } from './pod-caller.ts';
import type { PodCallerOptions } from './pod-caller.ts';

export interface ExchangeOptions extends PodCallerOptions {
  binaries: Pick<Binaries, 'read'>;
}

/** Bytes held at once for one file on its way. */
const PART_BYTES = 2 ** 20;

/**
 * Where pods of container nodes get files: `GET /inputs/<number>`. Throws ApiError: what `stepOfCaller` throws, NotFound, MethodNotAllowed
 * and ArtifactNotFound.
 */
export function artifactExchange(options: ExchangeOptions): Handler {
  return async (request, response) => {
    const [, direction, number] = /^\/(inputs)\/(\d{1,3})$/.exec(request.url ?? '') ?? [];
    if (direction === undefined) throw new ApiError('NotFound', 'There is nothing here but the files of steps.');
    if (request.method !== 'GET') throw new ApiError('MethodNotAllowed', 'Files of steps are read.', { headers: { allow: 'GET' } });
    const step = await stepOfCaller(request, options);
    await sendInput(artifactsOf(step).in?.[Number(number)], response, options);
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

async function* rest(first: Uint8Array, { id, size }: { id: string; size: number }, binaries: ExchangeOptions['binaries']): AsyncGenerator<Uint8Array> {
  yield first;
  for (let offset = first.length; offset < size;) {
    const part = await binaries.read(id, offset, PART_BYTES);
    if (part === undefined || part.length === 0) throw new Error(`File ${id} ends at ${offset} of ${size} bytes`);
    yield part;
    offset += part.length;
  }
}
