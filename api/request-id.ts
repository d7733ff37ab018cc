import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const header = 'x-request-id';

/** Gives the request an id: the caller's own X-Request-Id if it is short and plain, else a new one. Answered in the same header. */
export function assignRequestId(request: IncomingMessage, response: ServerResponse): string {
  const given = request.headers[header];
  const id = typeof given === 'string' && /^[\w.:+/=-]{1,128}$/.test(given) ? given : randomUUID();
  response.setHeader(header, id);
  return id;
}

export function requestIdOf(response: ServerResponse): string {
  return String(response.getHeader(header));
}
