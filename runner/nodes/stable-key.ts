/** A text that is the same for structurally equal JSON-like values and only for them: a key for sets and maps. */
export function stableKey(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  if (Array.isArray(value)) return `[${value.map(stableKey).join(',')}]`;
  if (value instanceof Date) return `D${value.toISOString()}`;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${stableKey(entry)}`).join(',')}}`;
}

/** Structural equality of JSON-like values: the order of keys does not matter, the order of list entries does. */
export const sameJson = (a: unknown, b: unknown): boolean => Object.is(a, b) || stableKey(a) === stableKey(b);
