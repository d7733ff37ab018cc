import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../operator/kube/index.ts';
import type { AdmissionRequest, Verdict } from './admission-review.ts';
import { answerReview, readReview } from './admission-review.ts';
import type { AdmissionMetrics } from './metrics.ts';

export interface AdmissionServerOptions {
  log: Log;
  /** Verdicts by URL path. */
  handlers: Readonly<Record<string, (request: AdmissionRequest) => Verdict>>;
  metrics?: Pick<AdmissionMetrics, 'judged' | 'failed'>;
}

/** An object may have 3 MiB for the API server; an update carries it twice. */
const MAX_BYTES = 8 * 2 ** 20;
/** API servers give up after the timeout of the configuration, 5 seconds. */
const REQUEST_MS = 5000;

/** Answers AdmissionReviews over TLS. The certificate is set, and renewed, by `setSecureContext`. */
export function admissionServer({ log, handlers, metrics }: AdmissionServerOptions): Server {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    answer(request, response).catch((err: unknown) => {
      log.warn({ err }, 'Failed to answer an admission request');
      metrics?.failed();
      if (!response.headersSent) response.writeHead(err instanceof TooLargeError ? 413 : 400);
      response.end();
    });
  });
  // Handshakes of clients that do not trust us, or that come before there is a certificate.
  server.on('tlsClientError', (err) => log.debug({ err }, 'Failed to agree on TLS'));
  return server;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const handler = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
    if (handler === undefined || request.method !== 'POST') {
      response.writeHead(handler === undefined ? 404 : 405).end();
      return;
    }
    const started = performance.now();
    const review = readReview(await readBody(request));
    const verdict = handler(review);
    metrics?.judged(path, verdict.allowed, (performance.now() - started) / 1000);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answerReview(review.uid, verdict)));
  }
}

class TooLargeError extends Error {
  override name = 'TooLargeError';
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new TooLargeError(`the body is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
