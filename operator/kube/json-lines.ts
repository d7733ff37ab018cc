import { KubeError, TransportReason, malformed } from './errors.ts';

const NEWLINE = 10;
/** Far above the 3 MiB that etcd and the API server accept for one object. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

/** The JSON values of a stream of lines. Throws KubeError when a line is not JSON or the stream ends within one. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      yield parse(parts);
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      bytes += chunk.length - start;
    }
    if (bytes > MAX_LINE_BYTES) throw malformed('a line of the stream is too long');
  }
  if (bytes > 0) throw new KubeError({ status: 0, reason: TransportReason.Unreachable, message: 'the stream ended within a line' });
}

function parse(parts: Uint8Array[]): unknown {
  const text = Buffer.concat(parts).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (err) {
    if (!(err instanceof SyntaxError)) throw err;
    // Not as the cause: its message quotes the line, which may be a Secret.
    throw malformed('a line of the stream is not JSON');
  }
}
