import * as z from 'zod';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const PATTERN = /^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$/;

/** A duration as people write it in manifests: `500ms`, `30s`, `1h30m`. Kept as written; `durationMs` reads it. */
export const duration = z.string().max(32).regex(PATTERN);

/** Milliseconds of a Go-style duration. Throws RangeError on anything else (the API server refuses it earlier). */
export function durationMs(text: string): number {
  if (!PATTERN.test(text)) throw new RangeError(`'${text}' is not a duration; write it like 500ms, 30s or 1h30m`);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g)) total += Number(amount) * (UNITS[unit ?? ''] ?? 0);
  return Math.round(total);
}
