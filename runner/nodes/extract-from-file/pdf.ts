import { Worker } from 'node:worker_threads';
import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';

export interface PdfRequest { bytes: Uint8Array; password: string; maxPages: number | undefined }

export interface PdfContent { pageCount: number; pages: string[]; info: JsonObject; metadata: JsonObject }

/** Heap of the thread that reads a PDF, in MiB: a document must not take the executor's memory. */
const MAX_HEAP_MB = 256;

/** Executors of a runner pool may not start threads: Node's permissions do not reach into them. */
function startReader(request: PdfRequest): Worker {
  try {
    return new Worker(new URL('pdf-worker.ts', import.meta.url), { workerData: request, resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
  } catch (cause) {
    throw new WorkflowError('PdfUnavailable', 'PDFs cannot be read in runner pools yet, only by `millrace run`. Have another service extract the text, and call it with an HTTP Request node.', { nonRetryable: true, cause });
  }
}

/** The text and properties of a PDF. Throws WorkflowError InvalidFile or PdfUnavailable; stops when the signal says so. */
export async function readPdf(request: PdfRequest, signal: AbortSignal): Promise<PdfContent> {
  const { promise, resolve, reject } = Promise.withResolvers<PdfContent>();
  const worker = startReader(request);
  const fail = (cause: Error): void => reject(new WorkflowError('InvalidFile', `The PDF could not be read: ${cause.message}. It may be damaged, too large, or need a password.`, { nonRetryable: true, cause }));
  const stop = (): void => fail(new Error('the execution was stopped'));
  signal.addEventListener('abort', stop, { once: true });
  worker.once('message', resolve);
  worker.once('error', fail);
  worker.once('exit', () => fail(new Error('its reader ended without a result')));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
