import { WorkflowError } from './error.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const PATTERN = /^(?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h))+$/;

/** Milliseconds of a Go-style duration such as `500ms` or `1h30m`. Throws WorkflowError DurationInvalid. */
export function durationMs(text: string): number {
  if (!PATTERN.test(text)) throw new WorkflowError('DurationInvalid', `'${text}' is not a duration; write it like 500ms, 30s or 1h30m.`);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g)) total += Number(amount) * (UNITS[unit ?? ''] ?? 0);
  return Math.round(total);
}
