import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import { parseJson } from '../json-text.ts';
import { asText, isObject } from '../json-value.ts';

/** What is known of a failed request: shown to the workflow as `json.error` when the node goes on. */
export interface HttpFailure {
  message: string;
  /** As Node and axios name them: ECONNREFUSED, ECONNABORTED, ERR_BAD_REQUEST … */
  code: string;
  status?: number;
}

/** A request that failed: code HttpStatus, HttpTimeout, HttpConnection or EgressDenied. */
export class HttpRequestError extends WorkflowError {
  readonly failure: HttpFailure;

  constructor(code: string, message: string, about: { failure: HttpFailure; description?: string; cause?: unknown }) {
    super(code, message, { ...(about.description !== undefined && { description: about.description }), cause: about.cause });
    this.failure = about.failure;
  }

  /** The object that workflows find under `error`. */
  toJson(): JsonObject {
    const { message, code, status } = this.failure;
    return { message, name: 'HttpRequestError', code, ...(status !== undefined && { status }) };
  }
}

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'Bad request: check the parameters', 401: 'Authorization failed: check the credential', 402: 'Payment is required',
  403: 'Forbidden: check what the credential allows', 404: 'The resource could not be found', 405: 'The method is not allowed: check the method',
  409: 'The resource is in conflict', 429: 'Too many requests: try again later, or send fewer at a time with batching',
  500: 'The service could not process the request', 502: 'Bad gateway: the service cannot be reached through its proxy',
  503: 'The service is unavailable: try again later', 504: 'Gateway timeout: the service took too long',
};

/** What an error body says, where services usually put it. */
function bodyMessage(text: string): string | undefined {
  const body = parseJson(text);
  if (!isObject(body)) return text.trim() === '' ? undefined : text.trim().slice(0, 500);
  const found = [body.message, isObject(body.error) ? body.error.message : body.error, body.error_description, body.detail, body.description].find((value) => typeof value === 'string' && value !== '');
  return found === undefined ? undefined : asText(found);
}

/** An answer whose status is not 2xx. */
export function statusError(status: number, body: string): HttpRequestError {
  const message = `${MEANINGS[status] ?? 'The request failed'} (status ${status}).`;
  const description = bodyMessage(body);
  const failure: HttpFailure = { message: `${status} - ${JSON.stringify(body.slice(0, 2000))}`, code: status < 500 ? 'ERR_BAD_REQUEST' : 'ERR_BAD_RESPONSE', status };
  return new HttpRequestError('HttpStatus', message, { failure, ...(description !== undefined && { description }) });
}

/** The innermost cause: fetch wraps what happened on the socket. */
function rootCause(error: unknown): Error {
  let current = error instanceof Error ? error : new Error(String(error));
  while (current.cause instanceof Error) current = current.cause;
  if (current instanceof AggregateError && current.errors[0] instanceof Error) return current.errors[0];
  return current;
}

/** An error of the connection. Workflow errors, such as a refused address, keep their code. */
export function connectionError(error: unknown, timedOut: boolean, timeoutMs: number): WorkflowError {
  const cause = rootCause(error);
  if (cause instanceof WorkflowError) return cause;
  if (timedOut) {
    return new HttpRequestError('HttpTimeout', `There was no answer within ${timeoutMs} ms. Raise options.timeout, or check the service.`, { failure: { message: `timeout of ${timeoutMs}ms exceeded`, code: 'ECONNABORTED' }, cause: error });
  }
  const code = 'code' in cause ? asText(cause.code) : '';
  return new HttpRequestError('HttpConnection', `The connection failed: ${cause.message || code}. Check the address, and that the service can be reached from the runners.`, { failure: { message: cause.message || code, code: code || 'ECONNRESET' }, cause: error });
}
