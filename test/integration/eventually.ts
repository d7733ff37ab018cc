import { setTimeout as delay } from 'node:timers/promises';

/** Repeats `check` until it no longer throws, and returns what it returned. After `withinMs` its last error is thrown. */
export async function eventually<T>(check: () => T | Promise<T>, { withinMs = 20_000, everyMs = 25 } = {}): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (err) {
      if (performance.now() > end) throw err;
      await delay(everyMs);
    }
  }
}
