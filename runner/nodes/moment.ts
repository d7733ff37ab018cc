import { DateTime } from 'luxon';

interface DateTimeLike { toMillis(): number; toISO(): string | null }

/** A luxon DateTime, also one of another copy of luxon (expressions run in their own realm of frozen globals). */
export function isDateTime(value: unknown): value is DateTimeLike {
  return typeof value === 'object' && value !== null
    && 'toMillis' in value && typeof value.toMillis === 'function' && 'toISO' in value && typeof value.toISO === 'function';
}

const FORMATS = ['yyyy/MM/dd', 'yyyy/MM/dd HH:mm:ss', 'MM/dd/yyyy', 'MM/dd/yyyy HH:mm:ss', 'yyyy-MM-dd HH:mm:ss.u', 'd MMM yyyy', 'MMMM d, yyyy', 'MMM d, yyyy'];

/**
 * Reads a moment in time from what workflows carry: DateTime, Date, seconds or milliseconds since the epoch, ISO 8601,
 * RFC 2822, HTTP dates, SQL and a few common forms. Text without a zone is read in UTC. The result is in `zone`, by default in
 * the zone of the text. Undefined when the value is none of these.
 */
export function parseMoment(value: unknown, zone?: string): DateTime | undefined {
  const parsed = parseInItsZone(value);
  if (!parsed?.isValid) return undefined;
  const moved = zone === undefined ? parsed : parsed.setZone(zone);
  return moved.isValid ? moved : undefined;
}

function parseInItsZone(value: unknown): DateTime | undefined {
  if (isDateTime(value)) return DateTime.fromMillis(value.toMillis(), { zone: 'utc' });
  if (value instanceof Date) return DateTime.fromJSDate(value, { zone: 'utc' });
  if (typeof value === 'number') return fromNumber(value);
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const text = value.trim();
  if (/^-?\d{9,}(\.\d+)?$/.test(text)) return fromNumber(Number(text));
  return fromText(text);
}

/** Up to eleven digits are seconds since the epoch, more are milliseconds. */
function fromNumber(value: number): DateTime {
  return Math.abs(value) < 1e11 ? DateTime.fromSeconds(value, { zone: 'utc' }) : DateTime.fromMillis(value, { zone: 'utc' });
}

function fromText(text: string): DateTime | undefined {
  const options = { zone: 'utc', setZone: true } as const;
  const readers = [
    () => DateTime.fromISO(text, options), () => DateTime.fromRFC2822(text, options),
    () => DateTime.fromHTTP(text, options), () => DateTime.fromSQL(text, options),
    ...FORMATS.map((format) => () => DateTime.fromFormat(text, format, { zone: 'utc', locale: 'en' })),
  ];
  for (const read of readers) {
    const parsed = read();
    if (parsed.isValid) return parsed;
  }
  return undefined;
}
