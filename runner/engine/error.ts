import type { ErrorRecord } from './item.ts';

/**
 * The one error class of engine, nodes and sandbox. `code` is stable and documented in docs/errors.md; the message says what
 * is wrong and what to do.
 */
export class WorkflowError extends Error {
  override name = 'WorkflowError';
  readonly code: string;
  readonly details: Omit<ErrorRecord, 'code' | 'message'> & { nonRetryable?: boolean };

  constructor(code: string, message: string, details: WorkflowError['details'] & { cause?: unknown } = {}) {
    const { cause, ...rest } = details;
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.details = rest;
  }
}

/** The record that history, events and responses carry; errors of unknown origin get the code NodeFailed. */
export function toErrorRecord(error: unknown, where: Partial<ErrorRecord> = {}): ErrorRecord {
  if (error instanceof WorkflowError) {
    const { nonRetryable: _, ...details } = error.details;
    return { code: error.code, message: error.message, ...where, ...details };
  }
  return { code: 'NodeFailed', message: error instanceof Error ? error.message : String(error), ...where };
}
