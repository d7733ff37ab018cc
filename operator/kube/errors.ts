/** What the API server, or the way to it, answered. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** metav1.StatusReason such as NotFound, AlreadyExists, Conflict, Invalid, Expired, TooManyRequests; or one of `TransportReason`. */
  readonly reason: string;
  /** When the server wants to be asked again, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: { status: number; reason: string; message: string; retryAfterMs?: number | undefined; cause?: unknown }) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause });
    this.status = failure.status;
    this.reason = failure.reason;
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/** Reasons of a `KubeError` that did not come from the API server. */
export const TransportReason = {
  /** No connection, or it broke. */
  Unreachable: 'ApiServerUnreachable',
  /** No answer in time. */
  Deadline: 'ApiServerTimeout',
  /** An answer that is not what the API promises, such as broken JSON. */
  Malformed: 'ApiServerAnswerMalformed',
  /** The credentials could not be read or obtained. */
  Credentials: 'CredentialsUnavailable',
} as const;
export type TransportReason = (typeof TransportReason)[keyof typeof TransportReason];

export function malformed(message: string): KubeError {
  return new KubeError({ status: 0, reason: TransportReason.Malformed, message });
}

const byReason =
  (...reasons: string[]) =>
  (err: unknown): err is KubeError =>
    err instanceof KubeError && reasons.includes(err.reason);

export const isNotFound = byReason('NotFound');
export const isAlreadyExists = byReason('AlreadyExists');
/** The object changed since it was read. */
export const isConflict = byReason('Conflict');
/** The resource version is too old to continue from; list again. */
export const isExpired = (err: unknown): boolean => err instanceof KubeError && (err.status === 410 || err.reason === 'Expired' || err.reason === 'Gone');

interface Details {
  /** For people: what is the matter and what to do about it. No secret may be in it: it goes to status, events and logs. */
  message?: string;
  cause?: unknown;
}

abstract class CodedError extends Error {
  /** CamelCase code, stable and documented; becomes the reason of a condition. */
  readonly reason: string;

  constructor(reason: string, { message, cause }: Details) {
    super(message ?? reason, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

/** Something is not there yet. Looked at again after `afterMs`; no failure, no backoff. */
export class WaitingError extends CodedError {
  override readonly name = 'WaitingError';
  readonly afterMs: number;

  constructor(reason: string, details: Details & { afterMs: number }) {
    super(reason, details);
    this.afterMs = details.afterMs;
  }
}

/** The user must change the object (or something it names). Not retried until one of the watched objects changes. */
export class StalledError extends CodedError {
  override readonly name = 'StalledError';

  constructor(reason: string, details: Details = {}) {
    super(reason, details);
  }
}

/** Neither retrying nor an edit helps, such as a broken invariant. Logged as an error and not retried. */
export class TerminalError extends CodedError {
  override readonly name = 'TerminalError';

  constructor(reason: string, details: Details = {}) {
    super(reason, details);
  }
}

/** Another replica leads, or nobody knows: this one must do nothing more. The process should exit non-zero. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
}
