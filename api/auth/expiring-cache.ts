interface Entry<V> {
  readonly value: Promise<V>;
  until: number;
}

/**
 * Answers that may be reused for a short time. Callers that ask for the same key at once share one computation; a failed one is
 * not kept. Bounded: the entries that were added first go first.
 */
export class ExpiringCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #options: { max: number; ttlMs: (value: V) => number; now: () => number };

  /** `ttlMs` says how long a value may be reused; `now` is in milliseconds. */
  constructor(options: { max: number; ttlMs: (value: V) => number; now: () => number }) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, compute: () => Promise<V>): Promise<V> {
    const { max, ttlMs, now } = this.#options;
    const known = this.#entries.get(key);
    if (known && known.until > now()) return known.value;
    const value = compute();
    const entry: Entry<V> = { value, until: Number.POSITIVE_INFINITY };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const oldest = this.#entries.keys().next();
    if (this.#entries.size > max && oldest.done === false) this.#entries.delete(oldest.value);
    value.then(
      (answer) => { entry.until = now() + ttlMs(answer); },
      () => { if (this.#entries.get(key) === entry) this.#entries.delete(key); },
    );
    return value;
  }
}
