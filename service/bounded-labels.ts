/** Which values of a label get a series of their own: the first `limit` that come. What Prometheus keeps must not grow with what users make. */
export class BoundedLabels {
  readonly #limit: number;
  readonly #known = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  admit(value: string): boolean {
    if (this.#known.has(value)) return true;
    if (this.#known.size >= this.#limit) return false;
    this.#known.add(value);
    return true;
  }
}
