import { isA } from './fault.ts';
import type { CodeRequest } from './sandbox.ts';
import { NotPlainDataError, toPlain } from './plain-data.ts';

const MAX_LINE = 32_768;
const MAX_LINES = 10_000;

/** The console of one run of a Code node. Long lines are cut; after many lines it falls silent. */
export function makeConsole(print: CodeRequest['onConsole']): object {
  let lines = 0;
  const to = (level: 'log' | 'info' | 'warn' | 'error') => (...values: unknown[]): void => {
    lines += 1;
    if (lines === MAX_LINES) print('warn', `No more than ${MAX_LINES} lines are shown.`);
    if (lines >= MAX_LINES) return;
    const text = values.map(show).join(' ');
    print(level, text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text);
  };
  const [log, info, warn, error] = [to('log'), to('info'), to('warn'), to('error')];
  return Object.freeze({ log, info, warn, error, debug: log, trace: log, table: log, dir: log });
}

/** Written here and not by Node's inspector, which would call hooks of the values with powerful arguments. */
export function show(value: unknown): string {
  try {
    if (typeof value === 'string') return value;
    if (isA(value, Error)) return `${value.name}: ${value.message}`;
    return typeof value === 'object' && value !== null ? JSON.stringify(toPlain(value)) : String(value);
  } catch (error) {
    return error instanceof NotPlainDataError ? '[too deep or circular]' : '[cannot be shown]';
  }
}
