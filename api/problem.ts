/**
 * Every code the API answers with, its HTTP status and what to do about it. Codes are stable: clients may match on them,
 * never on messages. docs/errors.md holds the same table, which a test compares with this one.
 */
export const problems = {
  MalformedJson: { status: 400, advice: 'Send valid JSON, or a content type that says what the body is.' },
  MalformedBody: { status: 400, advice: 'Send a body that matches its Content-Type and Content-Encoding headers.' },
  MalformedRequest: { status: 400, advice: 'Send a well-formed HTTP/1.1 request.' },
  InvalidRequest: { status: 400, advice: 'Correct the fields named in details; the OpenAPI document describes them.' },
  InvalidIdempotencyKey: { status: 400, advice: 'Send 1 to 255 printable ASCII characters as Idempotency-Key.' },
  Unauthenticated: { status: 401, advice: 'Send a valid, unexpired Kubernetes bearer token in the Authorization header.' },
  CallerUnauthenticated: { status: 401, advice: 'Send the user and password, header or token that the workflow asks for.' },
  AddressNotAllowed: { status: 403, advice: 'Have the address added to ipWhitelist of the node; behind proxies, check MILLRACE_PROXY_HOPS.' },
  BotRefused: { status: 403, advice: 'Send the User-Agent of a program that calls on purpose, or turn ignoreBots off.' },
  ArtifactRefused: { status: 403, advice: 'Only the pod of an unfinished try gets files, and only its own: nothing to do when the try is over.' },
  Forbidden: { status: 403, advice: 'Ask for a Role with the verb and resource named in the message.' },
  NotFound: { status: 404, advice: 'Check the URL against the OpenAPI document at /api/v1/openapi.json.' },
  WebhookNotFound: { status: 404, advice: 'Check the path and that the Workflow is active and Ready.' },
  FormNotFound: { status: 404, advice: 'Check the path and that the Workflow is active and Ready.' },
  TestNotListening: { status: 404, advice: 'Start listening first (millrace listen); it takes one call within 120 seconds.' },
  WaitNotFound: { status: 404, advice: 'Use the address as the workflow gave it, $execution.resumeUrl.' },
  WorkflowNotFound: { status: 404, advice: 'Check namespace and name, and that the Workflow is Ready.' },
  ObjectNotFound: { status: 404, advice: 'Check kind, namespace and name.' },
  ScheduleNotFound: { status: 404, advice: 'Check the name, and that the Workflow is active and has a schedule trigger that is not disabled.' },
  ExecutionNotFound: { status: 404, advice: 'Check namespace and id; old executions are removed by retention.' },
  ArtifactNotFound: { status: 404, advice: 'The file is gone from the store: run the workflow again from where the file is made.' },
  DeadLetterNotFound: { status: 404, advice: 'Check namespace and id; it may have been requeued or discarded meanwhile.' },
  MethodNotAllowed: { status: 405, advice: 'Use one of the methods in the Allow header.' },
  ObjectRefused: { status: 422, advice: 'Correct what the message names; `millrace validate` says the same before anything is sent.' },
  UnacceptablePayload: { status: 422, advice: 'Send less data, and no NUL characters in text.' },
  BackfillTooLarge: { status: 422, advice: 'Split the span; one request may start 1,000 executions.' },
  RequestTimeout: { status: 408, advice: 'Send headers and body faster.' },
  ExecutionNotCancelable: { status: 409, advice: 'Only unfinished executions can be canceled.' },
  ExecutionNotRetryable: { status: 409, advice: 'Wait until the execution has finished; only Failed and Canceled ones can be retried.' },
  NotWaiting: { status: 409, advice: 'A wait is ended once; look the execution up by its id.' },
  ObjectConflict: { status: 409, advice: 'Read the object again, or apply with force to take fields over from others.' },
  BodyTooLarge: { status: 413, advice: 'Send less, or have the limit raised (MILLRACE_MAX_BODY_BYTES).' },
  HeadersTooLarge: { status: 431, advice: 'Send fewer or shorter headers.' },
  TooManyRequests: { status: 429, advice: 'Wait for the seconds in Retry-After, then try again.' },
  ConcurrencyLimit: { status: 429, advice: 'The workflow takes no more executions at once: try again when some have ended, or raise settings.concurrency.max.' },
  RateLimited: { status: 429, advice: 'The workflow starts no more executions for now: wait for the seconds in Retry-After, then try again.' },
  QueueFull: { status: 429, advice: 'As many executions wait in the pool as may: wait for the seconds in Retry-After, or give the pool more runners.' },
  InternalError: { status: 500, advice: 'Try again; if it persists, give the requestId to whoever runs this installation.' },
  NoResponse: { status: 500, advice: 'Look the execution up by its id: it ended without answering the webhook.' },
  WebhookNotServed: { status: 501, advice: 'The server refuses rather than ignores it: remove it from the webhook node, or protect the path at the ingress.' },
  BadWorkflowResponse: { status: 502, advice: 'Correct the status, headers or body that the workflow answers with.' },
  CredentialUnavailable: { status: 503, advice: 'Whoever runs the workflow finds the reason in the log of the api: the Secret is missing, not labeled, incomplete or may not be read.' },
  Unavailable: { status: 503, advice: 'The server is starting, stopping or cannot reach its database: try again shortly.' },
  ItemsUnreadable: { status: 503, advice: 'What it asks for is in the object storage, which cannot be read: try again, or look at the readiness and the log of the api for the reason.' },
  ResponseTimeout: { status: 504, advice: 'The execution goes on; look it up by its id, or answer earlier in the workflow.' },
} as const satisfies Record<string, { status: number; advice: string }>;

export type ProblemCode = keyof typeof problems;

/** The one error class of the API: what a request is refused with. The message is shown to the caller and holds no secret. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly code: ProblemCode;
  readonly status: number;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, message: string, options: { details?: unknown; headers?: Record<string, string>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = problems[code].status;
    this.details = options.details;
    this.headers = options.headers ?? {};
  }
}

/** The body of every refused request. */
export interface ProblemBody {
  error: { code: ProblemCode; message: string; details?: unknown; requestId: string };
}

/** What the caller sees of an error, the table's advice included. */
export function problemBody(error: ApiError, requestId: string): ProblemBody {
  const message = `${error.message} ${problems[error.code].advice}`;
  return { error: { code: error.code, message, ...(error.details === undefined ? {} : { details: error.details }), requestId } };
}
