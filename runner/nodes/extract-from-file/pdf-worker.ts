import { parentPort, workerData } from 'node:worker_threads';
import { extractText, getDocumentProxy, getMeta } from 'unpdf';
import type { PdfContent, PdfRequest } from './pdf.ts';

/** Runs in a thread of its own: PDF.js adds to built-in objects, which are frozen where workflows run. */
const { bytes, password, maxPages }: PdfRequest = workerData;

const document = await getDocumentProxy(bytes, { verbosity: 0, ...(password !== '' && { password }) });
const { text } = await extractText(document, { mergePages: false });
const { info, metadata } = await getMeta(document);
const pages = maxPages === undefined ? text : text.slice(0, maxPages);
const content: PdfContent = { pageCount: document.numPages, pages, info: { ...info }, metadata: Object.fromEntries(Object.entries(metadata ?? {})) };
// What cannot be copied between threads is no data.
parentPort?.postMessage(JSON.parse(JSON.stringify(content)), []);
