interface Entry<K> {
  key: K;
  dueAt: number;
}

/** Keys ordered by the time they are due. Each key is in it once; every operation takes logarithmic time. */
export class DelayHeap<K> {
  readonly #entries: Entry<K>[] = [];
  readonly #positions = new Map<K, number>();

  get size(): number {
    return this.#entries.length;
  }

  /** When the earliest key is due. */
  get nextDueAt(): number | undefined {
    return this.#entries[0]?.dueAt;
  }

  dueAt(key: K): number | undefined {
    const position = this.#positions.get(key);
    return position === undefined ? undefined : this.#entries[position]?.dueAt;
  }

  /** Adds the key, or moves it to its new time. */
  set(key: K, dueAt: number): void {
    const position = this.#positions.get(key) ?? this.#entries.length;
    this.#entries[position] = { key, dueAt };
    this.#positions.set(key, position);
    this.#restore(position);
  }

  delete(key: K): boolean {
    const position = this.#positions.get(key);
    if (position === undefined) return false;
    this.#positions.delete(key);
    const last = this.#entries.pop();
    if (last && position < this.#entries.length) {
      this.#entries[position] = last;
      this.#positions.set(last.key, position);
      this.#restore(position);
    }
    return true;
  }

  /** Removes and returns the earliest key that is due at `now`. */
  pop(now: number): K | undefined {
    const first = this.#entries[0];
    if (!first || first.dueAt > now) return undefined;
    this.delete(first.key);
    return first.key;
  }

  clear(): void {
    this.#entries.length = 0;
    this.#positions.clear();
  }

  #restore(position: number): void {
    this.#sink(this.#rise(position));
  }

  #rise(start: number): number {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.#swapIfEarlier(position, parent)) break;
      position = parent;
    }
    return position;
  }

  #sink(start: number): void {
    let position = start;
    for (;;) {
      const left = 2 * position + 1;
      const child = this.#due(left + 1) < this.#due(left) ? left + 1 : left;
      if (child >= this.#entries.length || !this.#swapIfEarlier(child, position)) return;
      position = child;
    }
  }

  #due(position: number): number {
    return this.#entries[position]?.dueAt ?? Number.POSITIVE_INFINITY;
  }

  /** Swaps when the entry at `lower` is due before the one at `upper`. */
  #swapIfEarlier(lower: number, upper: number): boolean {
    const a = this.#entries[lower];
    const b = this.#entries[upper];
    if (!a || !b || a.dueAt >= b.dueAt) return false;
    this.#entries[lower] = b;
    this.#entries[upper] = a;
    this.#positions.set(b.key, lower);
    this.#positions.set(a.key, upper);
    return true;
  }
}
