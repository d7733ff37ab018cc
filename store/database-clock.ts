import type { Database, Statement } from './database.ts';

const CLOCK: Statement = { name: 'clock', text: 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms' };

/**
 * The database's clock, read with the local monotonic one: right to half a round trip, and untouched by steps of the local clock. A reading
 * replaces the one before when it was as quick, or when that is old.
 */
export class DatabaseClock {
  readonly #database: Database;
  readonly #monotonic: () => number;
  #offset = 0;
  #roundTrip = Infinity;

  constructor(database: Database, monotonic: () => number) {
    this.#database = database;
    this.#monotonic = monotonic;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#monotonic() + this.#offset;
  }

  async read(): Promise<void> {
    const before = this.#monotonic();
    const [row] = await this.#database.query<{ ms: number }>(CLOCK);
    const after = this.#monotonic();
    // A quick reading from long ago must not win for ever: clocks drift.
    this.#roundTrip *= 1.5;
    if (row === undefined || after - before > this.#roundTrip) return;
    this.#roundTrip = Math.max(after - before, 0.1);
    this.#offset = row.ms - (before + after) / 2;
  }
}
