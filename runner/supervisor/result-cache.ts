import { MAX_CACHED_LENGTH } from '../executor/protocol.ts';

/** Characters of all results together; about 32 MiB, at most twice that. */
const MAX_TOTAL_LENGTH = 32 * 2 ** 20;

interface Entry {
  outputs: string;
  /** Monotonic milliseconds. */
  until: number;
}

/** Results of nodes, for all executors of a runner: what was used least recently goes when the space is used up. */
export class ResultLru {
  readonly #monotonic: () => number;
  readonly #onRead: (result: 'hit' | 'miss') => void;
  readonly #entries = new Map<string, Entry>();
  #length = 0;

  constructor(deps: { monotonic(): number; onRead(result: 'hit' | 'miss'): void }) {
    this.#monotonic = deps.monotonic;
    this.#onRead = deps.onRead;
  }

  read(key: string): string | undefined {
    const entry = this.#entries.get(key);
    this.#drop(key);
    const isFresh = entry !== undefined && entry.until > this.#monotonic();
    this.#onRead(isFresh ? 'hit' : 'miss');
    if (!isFresh) return undefined;
    this.#keep(key, entry);
    return entry.outputs;
  }

  /** Results that are too large are not kept. */
  write({ key, outputs, ttlMs }: { key: string; outputs: string; ttlMs: number }): void {
    this.#drop(key);
    if (outputs.length > MAX_CACHED_LENGTH) return;
    this.#keep(key, { outputs, until: this.#monotonic() + ttlMs });
    for (const oldest of this.#entries.keys()) {
      if (this.#length <= MAX_TOTAL_LENGTH) break;
      this.#drop(oldest);
    }
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#length += key.length + entry.outputs.length;
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#length -= key.length + entry.outputs.length;
  }
}
