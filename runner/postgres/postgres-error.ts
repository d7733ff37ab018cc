import { WorkflowError } from '../engine/error.ts';

/** SQLSTATE classes that are about the connection: 08 connection exception, 57P operator intervention, 53300 too many connections, 28 authorization. */
const OF_CONNECTION = /^(08|57P|533|28)/;

/** What the driver threw, as users see it: the server's own words and SQLSTATE, or why there is no connection. */
export function databaseError(error: unknown): WorkflowError {
  const cause = rootCause(error);
  if (cause instanceof WorkflowError) return cause;
  const { message, code, severity, detail, hint, where } = cause as Error & Partial<Record<'code' | 'severity' | 'detail' | 'hint' | 'where', string>>;
  if (severity === undefined || code === undefined || OF_CONNECTION.test(code)) {
    const sqlState = severity === undefined ? '' : ` (SQLSTATE ${code})`;
    return new WorkflowError('DatabaseConnection', `The connection to the database failed: ${message || code}${sqlState}. Check the credential, and that the database can be reached from the runners.`, { cause: error });
  }
  const more = [detail, hint, where].filter((text) => text !== undefined);
  return new WorkflowError('DatabaseQuery', `PostgreSQL refused the statement: ${message} (SQLSTATE ${code}).`, { cause: error, ...(more.length > 0 && { description: more.join('\n') }) });
}

/** SQLSTATE of what PostgreSQL refused; undefined for everything else. */
export function sqlStateOf(error: unknown): string | undefined {
  const cause = error instanceof WorkflowError && error.code === 'DatabaseQuery' ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** Names with several addresses fail with one error for all of them. */
function rootCause(error: unknown): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  return error instanceof Error ? error : new Error(String(error));
}
