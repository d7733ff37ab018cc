/** The revisions that an executor ran last: it has them loaded and compiled. */
export class WarmRevisions {
  readonly #revisions = new Set<string>();
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  ran(revision: string): void {
    this.#revisions.delete(revision);
    this.#revisions.add(revision);
    const [oldest] = this.#revisions;
    if (this.#revisions.size > this.#capacity && oldest !== undefined) this.#revisions.delete(oldest);
  }

  has(revision: string): boolean {
    return this.#revisions.has(revision);
  }

  [Symbol.iterator](): SetIterator<string> {
    return this.#revisions.values();
  }
}
