/**
 * Reads the JSON form that n8n keeps execution data in: a list of values in which every string inside an object or a list is the
 * position of another value; a value that stands at several places is there once.
 */
export function parseFlatted(text: string): unknown {
  const values = JSON.parse(text) as unknown[];
  const done = new Map<number, unknown>();

  function at(position: number): unknown {
    if (done.has(position)) return done.get(position);
    const value = values[position];
    if (typeof value !== 'object' || value === null) return value;
    const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [] : {};
    done.set(position, copy);
    for (const [key, part] of Object.entries(value)) (copy as Record<string, unknown>)[key] = typeof part === 'string' ? at(Number(part)) : part;
    return copy;
  }
  return at(0);
}
