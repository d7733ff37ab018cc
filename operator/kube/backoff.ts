export interface BackoffOptions {
  /** Bound of the first delay, in milliseconds. */
  baseMs: number;
  /** Bound of every delay, in milliseconds. */
  capMs: number;
}

/** A delay uniform in [0, min(cap, base · 2^attempt)): spreads callers that failed together over the whole interval. */
export function fullJitter(attempt: number, { baseMs, capMs }: BackoffOptions, random: () => number): number {
  return random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt, 64));
}

/** Counts failures in a row and says how long to wait after each. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: () => number;
  #attempt = 0;

  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** Milliseconds to wait now. A server's Retry-After is a floor; the jitter comes on top, so that clients do not return together. */
  next(retryAfterMs = 0): number {
    const delay = retryAfterMs + fullJitter(this.#attempt, this.#options, this.#random);
    this.#attempt += 1;
    return delay;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
