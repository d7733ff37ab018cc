import type { Key } from './object.ts';

/** Values under which an object is found; a pure function of the object. */
export type IndexBy<T> = (object: T) => readonly string[];

/** The keys of objects by a value of theirs. */
export class CacheIndex<T> {
  readonly by: IndexBy<T>;
  readonly #keys = new Map<string, Set<Key>>();

  constructor(by: IndexBy<T>) {
    this.by = by;
  }

  keys(value: string): Key[] {
    return [...(this.#keys.get(value) ?? [])];
  }

  update(key: Key, before: T | undefined, after: T | undefined): void {
    const old = before === undefined ? [] : this.by(before);
    const now = after === undefined ? [] : this.by(after);
    for (const value of old) if (!now.includes(value)) this.#remove(value, key);
    for (const value of now) this.#add(value, key);
  }

  #add(value: string, key: Key): void {
    const keys = this.#keys.get(value);
    if (keys) keys.add(key);
    else this.#keys.set(value, new Set([key]));
  }

  #remove(value: string, key: Key): void {
    const keys = this.#keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(value);
  }
}
