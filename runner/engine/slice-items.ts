import { buffer } from 'node:stream/consumers';
import { parse } from 'csv-parse/sync';
import { WorkflowError } from './error.ts';
import { chunksOf, fileSlices, firstRecord } from './file-slices.ts';
import type { ReadBytes } from './file-slices.ts';
import type { BinaryReference, Item, JsonObject } from './item.ts';
import type { FileFormat, FileSlice, Slice } from './partitions.ts';

/** A byte order mark, which belongs to no record. */
const MARK = Buffer.from('\uFEFF');

type Read = ReadBytes<Pick<BinaryReference, 'id'>>;

/** Slices of a range, of `count` numbers each. */
export function* rangeSlices({ from, to }: { from: number; to: number }, count: number): Generator<Slice> {
  for (let start = from; start < to; start += count) yield { range: { from: start, to: Math.min(to, start + count) } };
}

/** Slices of a stored file, of `count` items each; see `fileSlices`. The first record of csv names the fields. Throws InvalidFile. */
export async function* slicesOfFile(file: BinaryReference, { format, count, delimiter = ',' }: { format: FileFormat; count: number; delimiter?: string | undefined }, read: Read): AsyncGenerator<Slice> {
  let start = (await buffer(chunksOf(read, file, { offset: 0, length: MARK.length }))).equals(MARK) ? MARK.length : 0;
  const rest = (): AsyncIterable<Uint8Array> => chunksOf(read, file, { offset: start, length: file.size - start });
  let fields: Pick<FileSlice, 'header' | 'delimiter'> = {};
  if (format === 'csv') {
    const { bytes, end } = await firstRecord(rest());
    start += end;
    fields = { header: parseCsv(bytes.toString('utf8'), delimiter)[0] ?? [], delimiter };
  }
  for await (const { offset, length } of fileSlices(rest(), { format, count })) {
    yield { file: { file: { id: file.id }, format, offset: start + offset, length, ...fields } };
  }
}

/** The items of a slice. Throws InvalidFile. */
export async function sliceItems(slice: Slice, read: Read): Promise<Item[]> {
  if ('range' in slice) {
    const { from, to } = slice.range;
    return Array.from({ length: to - from }, (_, index) => ({ json: { index: from + index } }));
  }
  const { file, format, header = [], delimiter = ',' } = slice.file;
  const text = (await buffer(chunksOf(read, file, slice.file))).toString('utf8');
  if (format === 'csv') return parseCsv(text, delimiter).map((fields) => ({ json: Object.fromEntries(header.map((name, index) => [name, fields[index] ?? ''])) }));
  const lines = text.split('\n').map((line) => line.replace(/\r$/u, '')).filter((line) => /[^\t\r ]/u.test(line));
  return lines.map((line) => ({ json: format === 'lines' ? { line } : parseObject(line) }));
}

function parseObject(line: string): JsonObject {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch (cause) {
    throw new WorkflowError('InvalidFile', 'A line of the file is not JSON.', { cause, nonRetryable: true });
  }
  throw new WorkflowError('InvalidFile', 'A line of the file is JSON, but not an object.', { nonRetryable: true });
}

function parseCsv(text: string, delimiter: string): string[][] {
  try {
    return parse(text, { delimiter, record_delimiter: ['\r\n', '\n'], relax_column_count: true, skip_empty_lines: true });
  } catch (cause) {
    throw new WorkflowError('InvalidFile', `The file is not CSV: ${cause instanceof Error ? cause.message : 'unknown reason'}. Check the delimiter and the quotes.`, { cause, nonRetryable: true });
  }
}
