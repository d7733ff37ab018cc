import { once } from 'node:events';
import type { Response } from 'express';
import type { StreamEvent } from './endpoint.ts';

const heartbeatMs = 15_000;

/**
 * Sends server-sent events until `events` ends or `signal` aborts. Waits for the first event before the status is sent, so that
 * a refusal still has a status of its own. A comment every 15 s keeps proxies from closing a quiet stream; a caller who does
 * not read makes `events` wait.
 */
export async function sendEvents(response: Response, events: AsyncIterable<StreamEvent>, signal: AbortSignal): Promise<void> {
  const iterator = events[Symbol.asyncIterator]();
  let next = await iterator.next();
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' });
  response.flushHeaders();
  const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs);
  try {
    while (!next.done && !signal.aborted) {
      if (!response.write(encodeEvent(next.value))) await once(response, 'drain', { signal });
      next = await iterator.next();
    }
  } catch (error) {
    // The status is sent already: all that can be said is that the stream ends here. The caller connects again.
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    await iterator.return?.();
    response.end();
  }
}

/** JSON has no raw line breaks, so one data line is enough. */
export function encodeEvent({ event, id, data }: StreamEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
