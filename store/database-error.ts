import { DatabaseError } from 'pg';
import { StoreError, StoreReason } from './error.ts';

/** SQLSTATEs after which the same call may succeed: connection trouble, shutdown, start, no connection left, read-only standby, deadlock. */
const UNAVAILABLE = new Set(['57P01', '57P02', '57P03', '57P05', '53300', '25006', '40001', '40P01', '25P03', '25P04']);
const TIMEOUTS = new Set(['57014', '55P03']);
const SOCKET = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'ENOTFOUND', 'EADDRNOTAVAIL']);
/** node-postgres gives its own connection errors no code. */
const DRIVER = /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Query read timeout|Connection error)/;

/** Not by class: errors of Node's own modules may be of another realm. */
function read(error: unknown): { code: string; message: string; errors: readonly unknown[] } {
  const { code = '', message = '', errors = [] } = (typeof error === 'object' && error !== null ? error : {}) as { code?: unknown; message?: unknown; errors?: unknown };
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '', errors: Array.isArray(errors) ? errors : [] };
}

function isUnavailable(error: unknown): boolean {
  const { code, message, errors } = read(error);
  if (error instanceof DatabaseError) return code.startsWith('08') || UNAVAILABLE.has(code);
  // A host with several addresses fails with one error for each.
  return SOCKET.has(code) || DRIVER.test(message) || (errors.length > 0 && errors.every(isUnavailable));
}

/** Whether the connection the error came from must not be used again. */
export function breaksConnection(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return true;
  return error.severity === 'FATAL' || error.severity === 'PANIC' || error.code === '25006';
}

/** What users see instead of PostgreSQL's own error, whose detail may quote stored values; it stays reachable as `cause`. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code } = read(error);
  if (isUnavailable(error)) {
    return new StoreError(StoreReason.StoreUnavailable, `PostgreSQL is not available${code === '' ? '' : ` (${code})`}; the call can be repeated`, { cause: error });
  }
  if (TIMEOUTS.has(code)) return new StoreError(StoreReason.StoreTimeout, `PostgreSQL did not answer in time (${code}); the call can be repeated`, { cause: error });
  if (code === '54000' || code === '22P02' || code === '22021') {
    return new StoreError(StoreReason.PayloadRefused, `PostgreSQL refused a value (${code})`, { cause: error });
  }
  return new StoreError(StoreReason.StoreFailed, `PostgreSQL failed${code === '' ? '' : ` with SQLSTATE ${code}`}; see the server's log`, { cause: error });
}
