import { WorkflowError } from '../../engine/error.ts';

/** Encodings that can be written, by their names without dashes in lower case. */
const WRITABLE: Readonly<Record<string, BufferEncoding>> = {
  utf8: 'utf8', utf16le: 'utf16le', utf16: 'utf16le', ucs2: 'utf16le', latin1: 'latin1', iso88591: 'latin1', binary: 'latin1', ascii: 'ascii', base64: 'base64', hex: 'hex',
};

/** Text as bytes. Throws WorkflowError UnknownEncoding. */
export function encodeText(text: string, encoding: string, addBom: boolean): Uint8Array {
  const name = WRITABLE[encoding.toLowerCase().replaceAll(/[-_]/g, '')];
  if (!name) throw new WorkflowError('UnknownEncoding', `Files cannot be written in the encoding '${encoding}'. Use one of ${Object.keys(WRITABLE).join(', ')}.`, { parameter: 'options.encoding', nonRetryable: true });
  return Buffer.from(addBom && name.startsWith('utf') ? `\uFEFF${text}` : text, name);
}
