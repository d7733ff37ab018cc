import { setTimeout as delay } from 'node:timers/promises';

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 250;

/**
 * Calls `probe` until it neither throws nor gives undefined or false, and returns what it gave. Fails with the last error after
 * `withinMs` (default one minute: a bound for a broken test, not an expectation of speed).
 */
export async function eventually<T>(probe: () => Promise<T> | T, withinMs = 60_000): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + withinMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    let last: unknown = new Error('It never came true');
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw last;
    await delay(pause);
  }
}
