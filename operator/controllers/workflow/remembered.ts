/** Texts of more characters are rare, and each of its own kind. */
const MAX_LENGTH = 500;
/** Entries of each of the two generations; full of the longest texts they take 8 MB, of usual ones less than 1. */
const GENERATION = 4000;

/**
 * The results of a pure function of texts, for those asked for of late. It holds two generations: when the young one is full it becomes the old
 * one, whose entries get young again when they are asked for, and are forgotten with it otherwise.
 */
export class Remembered<T> {
  readonly #compute: (text: string) => T;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(compute: (text: string) => T) {
    this.#compute = compute;
  }

  of(text: string): T {
    if (text.length > MAX_LENGTH) return this.#compute(text);
    if (this.#young.has(text)) return this.#young.get(text) as T;
    const result = this.#old.has(text) ? this.#old.get(text) as T : this.#compute(text);
    if (this.#young.size >= GENERATION) [this.#old, this.#young] = [this.#young, new Map()];
    this.#young.set(text, result);
    return result;
  }
}
