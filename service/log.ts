import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';

const secretFields = ['authorization', 'cookie', 'token', 'password', '["millrace-token"]', 'connectionString'];

export interface LogOptions {
  role: 'api' | 'operator' | 'runner' | 'webhooks';
  /** debug, info, warn or error: `MILLRACE_LOG_LEVEL`. */
  level: string;
  /** Which replica speaks. */
  pod?: string | undefined;
}

/**
 * Structured JSON lines, alike in every role: `role`, `pod`, `level`, `time`, `msg`, and what it is about by name (`namespace`, `workflow`,
 * `execution`, `node`, `err`). Request headers and bodies are never logged; should a field slip in, the known secret ones are cut. Of errors only
 * name, code, message and stack are kept: those of libraries carry queries, options and answers as extra fields.
 */
export function createLog({ role, level, pod }: LogOptions, destination?: DestinationStream): Logger {
  const below = (name: string, parents: string): string => (name.startsWith('[') ? `${parents}${name}` : `${parents}.${name}`);
  const paths = secretFields.flatMap((name) => [name, below(name, '*'), below(name, '*.*')]);
  const options = { level, base: { role, ...(pod === undefined ? {} : { pod }) }, redact: { paths, censor: '[redacted]' }, serializers: { err: describeError } };
  return destination ? pino(options, destination) : pino(options);
}

function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause = error.cause instanceof Error ? { cause: describeError(error.cause) } : {};
  return { name: error.name, ...code, message: error.message, stack: error.stack, ...cause };
}
