import { IANAZone } from 'luxon';

/** A timezone as offsets: local time is the instant plus its offset. All in milliseconds. */
export interface Zone {
  offsetAt(instant: number): number;
  /** First instant after `from` and not after `until` that has another offset than `from` has; undefined when there is none. */
  change(from: number, until: number): number | undefined;
}

/** Changes of clocks are further apart than this. */
const STRIDE_MS = 7 * 86_400_000;

export function isTimezone(name: string): boolean {
  return IANAZone.isValidZone(name);
}

/** `name` must be a timezone. */
export function zoneOf(name: string): Zone {
  const zone = IANAZone.create(name);
  const offsetAt = (instant: number): number => zone.offset(instant) * 60_000;
  return {
    offsetAt,
    change(from, until) {
      const before = offsetAt(from);
      for (let low = from; low < until; low += STRIDE_MS) {
        const high = Math.min(low + STRIDE_MS, until);
        if (offsetAt(high) !== before) return firstChange(offsetAt, low, high);
      }
      return undefined;
    },
  };
}

function firstChange(offsetAt: (instant: number) => number, from: number, until: number): number {
  const before = offsetAt(from);
  let low = from;
  let high = until;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
