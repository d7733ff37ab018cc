/**
 * Entry of the process that reads one PDF. It gets the options as a line of JSON and then the file on its standard input, and answers with a
 * PdfAnswer on its standard output. PDF.js adds to built-in objects, which are frozen where workflows run, and its files are strangers' work.
 */
import { buffer } from 'node:stream/consumers';
import process from 'node:process';
import { extractText, getDocumentProxy, getMeta } from 'unpdf';
import type { PdfAnswer, PdfContent, PdfOptions } from './pdf-content.ts';

async function read(bytes: Uint8Array, { password, maxPages }: PdfOptions): Promise<PdfContent> {
  const document = await getDocumentProxy(bytes, { verbosity: 0, ...(password !== '' && { password }) });
  const { text } = await extractText(document, { mergePages: false });
  const { info, metadata } = await getMeta(document);
  return {
    pageCount: document.numPages,
    pages: maxPages === undefined ? text : text.slice(0, maxPages),
    info: { ...info },
    metadata: Object.fromEntries(Object.entries(metadata ?? {})),
  };
}

async function answer(): Promise<PdfAnswer> {
  const input = await buffer(process.stdin);
  const end = input.indexOf('\n');
  const options = JSON.parse(input.toString('utf8', 0, end)) as PdfOptions;
  try {
    return { content: await read(new Uint8Array(input.subarray(end + 1)), options) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

const text = JSON.stringify(await answer());
process.stdout.write(text, () => process.exit(0));
