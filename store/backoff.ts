/** What waiting needs from outside. */
export interface Patience {
  /** Milliseconds, monotonic. */
  elapsed(): number;
  /** 0 ≤ x < 1. */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export const patience: Patience = {
  elapsed: () => performance.now(),
  random: () => Math.random(),
  sleep: async (ms) => new Promise((resolve) => { setTimeout(resolve, ms); }),
};

const FIRST_MS = 50;
const LONGEST_MS = 2000;

/** Full jitter: anything up to a ceiling that doubles with every failure. `failures` counts from 1. */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
}

/**
 * Calls `attempt` until it succeeds, fails for good, or `giveUpMs` have passed since the first call; then with the last error.
 * `failures` counts from 0.
 */
export async function persist<T>(
  attempt: (failures: number) => Promise<T>,
  options: { isTransient(error: unknown): boolean; giveUpMs: number; patience?: Patience },
): Promise<T> {
  const { elapsed, random, sleep } = options.patience ?? patience;
  const start = elapsed();
  for (let failures = 0; ; ) {
    try {
      return await attempt(failures);
    } catch (error) {
      failures += 1;
      const pause = backoffMs(failures, random);
      if (!options.isTransient(error) || elapsed() - start + pause > options.giveUpMs) throw error;
      await sleep(pause);
    }
  }
}
