import type { ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';

/** Bytes of a log that are read; with `resultFrom: log` all of them are the result. */
export const MAX_LOG_BYTES = 64 * 1024;
/** Characters of a log that are kept with the item. */
const MAX_KEPT_LOG = 16 * 1024;

/** What the command gave back: JSON if it is JSON, else text; null for nothing. Of a log that is not JSON as a whole, its last line may be. */
export function resultOf(resultFrom: ContainerSpec['resultFrom'], message: string, log: string): unknown {
  const text = (resultFrom === 'log' ? log : message).trim();
  if (text === '') return null;
  const whole = parsed(text);
  if (whole !== undefined || resultFrom !== 'log') return whole ?? text;
  return parsed(text.slice(text.lastIndexOf('\n') + 1)) ?? text;
}

/** The end of a log, from the beginning of a line where it was cut. */
export function logTail(log: string): string {
  if (log.length <= MAX_KEPT_LOG) return log;
  const tail = log.slice(-MAX_KEPT_LOG);
  return tail.slice(tail.indexOf('\n') + 1);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
