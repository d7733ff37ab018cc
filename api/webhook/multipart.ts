import { Busboy } from '@fastify/busboy';
import type { IncomingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ApiError } from '../problem.ts';
import { maxFields } from './parse-body.ts';

/** A file of a form as it comes in. */
export interface FormFile {
  field: string;
  fileName: string;
  mimeType: string;
}

/** Reads a file to its end; the form does not go on before it resolves. */
export type TakeFile = (file: FormFile, bytes: AsyncIterable<Buffer>) => Promise<void>;

const maxFiles = 100;

/**
 * Reads a multipart form as it comes: fields into an object (a repeated one becomes a list), each file by `takeFile`, one after
 * the other. At most `fieldBytes` of field values are held. Throws ApiError MalformedBody or BodyTooLarge, or what `takeFile` threw.
 */
export async function readMultipart(
  body: AsyncIterable<Buffer>, headers: IncomingHttpHeaders, { fieldBytes, takeFile }: { fieldBytes: number; takeFile: TakeFile },
): Promise<Record<string, unknown>> {
  const fields = new Map<string, string[]>();
  let held = 0;
  const failures: unknown[] = [];
  let last = Promise.resolve();
  const parser = openParser(headers, { fieldBytes, maxParts: maxFields + maxFiles });
  const fail = (error: unknown): void => {
    failures.push(error);
    parser.destroy(error instanceof Error ? error : new Error('a file was refused'));
  };
  parser.on('field', (name, value, nameCut, valueCut) => {
    held += Buffer.byteLength(name) + Buffer.byteLength(value);
    if (nameCut || valueCut || held > fieldBytes) fail(tooLarge(`the fields of the form are larger than ${fieldBytes} bytes`));
    else fields.set(name, [...(fields.get(name) ?? []), value]);
  });
  parser.on('file', (...[field, stream, fileName, , mimeType]) => {
    // Browsers send a part without name and bytes for a file field that was left empty.
    if ((fileName ?? '') === '') stream.resume();
    else last = last.then(() => takeFile({ field, fileName, mimeType }, stream)).catch(fail);
  });
  for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) parser.on(limit, () => fail(tooLarge(`the form has more than ${maxFields} fields or ${maxFiles} files`)));
  try {
    await pipeline(body, parser);
  } catch (error) {
    failures.push(error);
  }
  await last;
  const [failure] = failures;
  if (failure instanceof ApiError) throw failure;
  if (failure !== undefined) throw new ApiError('MalformedBody', 'The multipart form could not be read.', { cause: failure });
  return Object.fromEntries([...fields].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}

function openParser(headers: IncomingHttpHeaders, { fieldBytes, maxParts }: { fieldBytes: number; maxParts: number }): InstanceType<typeof Busboy> {
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': headers['content-type'] ?? '' },
      limits: { fieldNameSize: 1024, fieldSize: fieldBytes, fields: maxFields, files: maxFiles, parts: maxParts, headerPairs: 100 },
    });
  } catch (error) {
    throw new ApiError('MalformedBody', 'The multipart form names no boundary.', { cause: error });
  }
}

function tooLarge(what: string): ApiError {
  return new ApiError('BodyTooLarge', `Too large: ${what}.`, { headers: { connection: 'close' } });
}
