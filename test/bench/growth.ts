/**
 * How much a series grew from its middle third to its last: a leak keeps growing, while caches and heaps that have warmed up do not. Maxima
 * of a third tell nothing, since when garbage is collected is chance; its lowest quarter is what is really held.
 */
export function growth(values: readonly number[]): { before: number; after: number } {
  const third = Math.floor(values.length / 3);
  return { before: held(values.slice(third, 2 * third)), after: held(values.slice(-third)) };
}

function held(values: readonly number[]): number {
  const lowest = [...values].sort((a, b) => a - b).slice(0, Math.max(1, Math.ceil(values.length / 4)));
  return lowest.reduce((sum, value) => sum + value, 0) / lowest.length;
}
