import type { ServerResponse } from 'node:http';
import type { Log } from '../operator/kube/log.ts';
import { StoreError, StoreReason } from '../store/error.ts';
import type { Metrics } from './metrics.ts';
import { ApiError, problemBody } from './problem.ts';
import { requestIdOf } from './request-id.ts';

/** Answers a request that failed. What is not an ApiError is logged and shown as InternalError without its message. */
export function answerError(thrown: unknown, response: ServerResponse, { log, metrics }: { log: Log; metrics: Metrics }): void {
  const error = asApiError(thrown);
  const requestId = requestIdOf(response);
  metrics.refused.inc({ code: error.code });
  if (error.status >= 500) log.error({ requestId, code: error.code, err: error.cause ?? thrown }, 'Request failed');
  else log.debug({ requestId, code: error.code }, 'Refused a request');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  response.writeHead(error.status, { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff' });
  response.end(JSON.stringify(problemBody(error, requestId)));
}

function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  // Express refuses a path that cannot be decoded with a status of its own.
  if (thrown instanceof URIError) return new ApiError('MalformedRequest', 'The path is not valid percent-encoding.', { cause: thrown });
  if (thrown instanceof StoreError) return ofStore(thrown);
  return new ApiError('InternalError', 'The server could not handle the request.', { cause: thrown });
}

const UNREADABLE: ReadonlySet<StoreReason> = new Set([StoreReason.ObjectStorageUnavailable, StoreReason.ObjectStorageRefused, StoreReason.ObjectStorageOff, StoreReason.ObjectMissing]);

function ofStore(error: StoreError): ApiError {
  if (UNREADABLE.has(error.code)) return new ApiError('ItemsUnreadable', `The server could not read what was stored (${error.code}).`, { cause: error });
  if (error.transient) return new ApiError('Unavailable', 'The database did not answer.', { headers: { 'retry-after': '1' }, cause: error });
  return new ApiError('InternalError', 'The server could not handle the request.', { cause: error });
}
