import { WorkflowError } from './error.ts';
import type { FileFormat } from './partitions.ts';

/** Bytes of a file from an offset on; fewer at its end. */
export type ReadBytes<F> = (file: F, offset: number, length: number) => Promise<Uint8Array>;

/** Whole records of a file, and how many they are. Offset and length are bytes. */
export interface RecordSlice {
  offset: number;
  length: number;
  records: number;
}

const CHUNK = 2 ** 20;
const NEWLINE = 0x0a;
const QUOTE = 0x22;
const CARRIAGE_RETURN = 0x0d;
/** A line of nothing else is no record: of csv it may have fields. */
const BLANK: ReadonlySet<number> = new Set([0x09, CARRIAGE_RETURN, 0x20]);
const BLANK_CSV: ReadonlySet<number> = new Set([CARRIAGE_RETURN]);

/** A part of a file, a chunk at a time. */
export async function* chunksOf<F>(read: ReadBytes<F>, file: F, { offset, length }: { offset: number; length: number }): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < offset + length;) {
    const chunk = await read(file, at, Math.min(CHUNK, offset + length - at));
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}

/**
 * Divides a file into slices of `count` records, in one pass that holds one chunk of it. A record ends with a newline outside quotes, which only
 * csv has, or with the file; blank lines are none. UTF-8 and whatever else has ASCII's newlines and quotes.
 */
export async function* fileSlices(chunks: AsyncIterable<Uint8Array>, { format, count }: { format: FileFormat; count: number }): AsyncGenerator<RecordSlice> {
  const finder = new RecordFinder(format === 'csv');
  let [start, records] = [0, 0];
  for await (const chunk of chunks) {
    for (const end of finder.ends(chunk)) {
      records += 1;
      if (records < count) continue;
      yield { offset: start, length: end - start, records };
      [start, records] = [end, 0];
    }
  }
  if (finder.isInRecord) records += 1;
  if (records > 0) yield { offset: start, length: finder.offset - start, records };
}

/** The first record of a file with its end, in bytes from its beginning. Throws InvalidFile when it is over 1 MiB. */
export async function firstRecord(chunks: AsyncIterable<Uint8Array>): Promise<{ bytes: Buffer; end: number }> {
  const finder = new RecordFinder(true);
  const seen: Uint8Array[] = [];
  for await (const chunk of chunks) {
    seen.push(chunk);
    for (const end of finder.ends(chunk)) return { bytes: Buffer.concat(seen).subarray(0, end), end };
    if (finder.offset >= CHUNK) throw new WorkflowError('InvalidFile', 'The first line of the file, which names its fields, is over 1 MiB.', { nonRetryable: true });
  }
  return { bytes: Buffer.concat(seen), end: finder.offset };
}

/** Goes through a file chunk by chunk and says where its records end. */
class RecordFinder {
  readonly #quotes: boolean;
  /** Bytes seen so far. */
  offset = 0;
  /** Whether there was anything but blanks since the last record. */
  isInRecord = false;
  #inQuotes = false;
  /** The next one in the chunk. */
  #quote = 0;

  constructor(quotes: boolean) {
    this.#quotes = quotes;
  }

  /** The offsets behind the newlines that end a record. */
  * ends(chunk: Uint8Array): Generator<number> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const base = this.offset;
    this.offset += bytes.length;
    this.#quote = this.#quotes ? nextOf(bytes, QUOTE, 0) : Infinity;
    for (let at = 0; at < bytes.length;) {
      const end = nextOf(bytes, NEWLINE, at);
      this.#see(bytes, at, end);
      at = end + 1;
      if (end === bytes.length || this.#inQuotes || !this.isInRecord) continue;
      this.isInRecord = false;
      yield base + at;
    }
  }

  #see(bytes: Buffer, from: number, to: number): void {
    const blank = this.#quotes ? BLANK_CSV : BLANK;
    for (let at = from; !this.isInRecord && at < to; at += 1) this.isInRecord = !blank.has(bytes[at] ?? 0);
    // Two quotes for one leave things as they are.
    for (; this.#quote < to; this.#quote = nextOf(bytes, QUOTE, this.#quote + 1)) this.#inQuotes = !this.#inQuotes;
  }
}

function nextOf(bytes: Buffer, wanted: number, from: number): number {
  const found = bytes.indexOf(wanted, from);
  return found === -1 ? bytes.length : found;
}
