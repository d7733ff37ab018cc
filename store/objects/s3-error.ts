import { StoreError, StoreReason } from '../error.ts';

/** The SDK's errors, and those of sockets and of credential providers below it. */
interface Raw {
  name?: unknown;
  code?: unknown;
  $metadata?: { httpStatusCode?: number };
  $retryable?: unknown;
}

const MISSING = new Set(['NoSuchKey', 'NotFound']);
/** Without an answer of the server: only these say that asking again is of no use. */
const NO_CREDENTIALS = /Credentials|ProviderError|TokenProvider|ExpiredToken/;
/** Answers that are no fault of whoever asked, besides 5xx. */
const BUSY_STATUS = new Set([408, 429]);

function read(error: unknown): { name: string; status: number | undefined } {
  const { name, code, $metadata: { httpStatusCode } = {} } = (typeof error === 'object' && error !== null ? error : {}) as Raw;
  const named = [code, name].find((text) => typeof text === 'string' && /^[A-Za-z][\w.-]{0,60}$/.test(text) && text !== 'Error');
  return { name: typeof named === 'string' ? named : 'Unknown', status: httpStatusCode };
}

export function isMissing(error: unknown): boolean {
  return MISSING.has(read(error).name);
}

/** Whether a server does not know a kind of request at all, or wants more of it than its rights. */
export function isUnsupported(error: unknown): boolean {
  const { status } = read(error);
  return status === 400 || status === 405 || status === 501;
}

/** What users see instead of the SDK's error, which may quote keys and parts of the request, and is not attached for that reason. */
export function toObjectError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { name, status } = read(error);
  const what = status === undefined ? name : `${name}, status ${status}`;
  if (NO_CREDENTIALS.test(name)) {
    return new StoreError(StoreReason.ObjectStorageRefused, `There are no credentials for the object storage (${what}): name a Secret with an access key, or give the pod an identity of its own`);
  }
  if (status === undefined || status >= 500 || BUSY_STATUS.has(status)) {
    return new StoreError(StoreReason.ObjectStorageUnavailable, `The object storage is not available (${what}); the call can be repeated`);
  }
  return new StoreError(StoreReason.ObjectStorageRefused, `The object storage refused a request (${what}): check bucket, region, endpoint and what the credentials may do`);
}
