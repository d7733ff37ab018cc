import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Metrics } from '../metrics.ts';
import { ApiError } from '../problem.ts';

/** Answers a request on the bare server, or throws ApiError for the caller to answer. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Lets at most `max` requests of all handlers together be between arrival and answer; more are refused at once. */
export function inFlightLimit(max: number, metrics: Metrics, kind = 'webhook'): (handler: Handler) => Handler {
  let inFlight = 0;
  return (handler) => async (request, response) => {
    if (inFlight >= max) throw new ApiError('TooManyRequests', `Too many ${kind} calls are in flight.`, { headers: { 'retry-after': '1' } });
    inFlight += 1;
    metrics.inFlight.set({ kind }, inFlight);
    try {
      await handler(request, response);
    } finally {
      inFlight -= 1;
      metrics.inFlight.set({ kind }, inFlight);
    }
  };
}
