import { randomUUID } from 'node:crypto';
import { STATUS_CODES, createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError, problemBody } from './problem.ts';

export interface ListeningServer {
  readonly port: number;
  /** Stops accepting, lets requests under way finish for up to `graceMs`, then closes what is left. */
  close(graceMs: number): Promise<void>;
}

/**
 * Listens on all interfaces. Slow callers are cut off: 10 s for the headers, `requestMs` for the whole request.
 */
export async function listen(listener: RequestListener, options: { port: number; requestMs: number }): Promise<ListeningServer> {
  const server = createServer({
    headersTimeout: Math.min(10_000, options.requestMs),
    requestTimeout: options.requestMs,
    connectionsCheckingInterval: Math.min(1000, options.requestMs),
    keepAliveTimeout: 75_000,
    maxHeaderSize: 32 * 1024,
    noDelay: true,
  }, listener);
  server.on('clientError', refuse);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : options.port, close: (graceMs) => close(server, graceMs) };
}

const refusals: Record<string, () => ApiError> = {
  ERR_HTTP_REQUEST_TIMEOUT: () => new ApiError('RequestTimeout', 'The request did not arrive in time.'),
  HPE_HEADER_OVERFLOW: () => new ApiError('HeadersTooLarge', 'The headers are too large.'),
};

/** Answers what never became a whole request, on the bare connection. */
function refuse(failure: NodeJS.ErrnoException, socket: Duplex): void {
  if (failure.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const error = refusals[failure.code ?? '']?.() ?? new ApiError('MalformedRequest', 'This is not HTTP/1.1.');
  const body = JSON.stringify(problemBody(error, randomUUID()));
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}\r\nconnection: close\r\ncontent-type: application/json\r\n`
    + `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const force = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(force);
}
