import { setTimeout as delay } from 'node:timers/promises';

export interface Patience {
  /** A bound for a broken test, not an expectation of speed. Default one minute. */
  withinMs?: number;
  everyMs?: number;
}

/** Repeats `check` until it no longer throws, and returns what it returned. When time is up its last error is thrown. */
export async function eventually<T>(check: () => T | Promise<T>, { withinMs = 60_000, everyMs = 25 }: Patience = {}): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await delay(everyMs);
    }
  }
}

/** Repeats `probe` until it gives something other than undefined or false, and returns that. */
export async function until<T>(probe: () => T | Promise<T>, patience?: Patience): Promise<Exclude<T, undefined | false>> {
  return eventually(async () => {
    const value = await probe();
    if (value === undefined || value === false) throw new Error('It never came true');
    return value as Exclude<T, undefined | false>;
  }, patience);
}
