/**
 * How thorough a test run is. `npm test` tries a sample of every large space, chosen by a seed that it prints; with MILLRACE_TEST_FULL=1 all
 * of it. MILLRACE_TEST_SEED repeats an earlier sample.
 */
export const full: boolean = process.env['MILLRACE_TEST_FULL'] === '1';

/** Of this run. Printed with whatever is chosen by it. */
export const runSeed: number = Number(process.env['MILLRACE_TEST_SEED'] ?? Date.now() % 1_000_000);

/** The whole list in a full run, else `n` of it in their order. */
export function sample<T>(list: readonly T[], n: number, seed: number = runSeed): readonly T[] {
  const chosen = full || n >= list.length ? list : pick(list, n, seed);
  process.stderr.write(`Trying ${chosen.length} of ${list.length} (MILLRACE_TEST_SEED=${seed}${full ? ', MILLRACE_TEST_FULL=1' : ''})\n`);
  return chosen;
}

function pick<T>(list: readonly T[], n: number, seed: number): T[] {
  const random = randomFrom(seed);
  const order = list.map((_, index) => ({ index, key: random() })).sort((a, b) => a.key - b.key).slice(0, n);
  return order.map(({ index }) => index).sort((a, b) => a - b).flatMap((index) => list[index] ?? []);
}

/** Mulberry32: numbers from 0 to 1 that only the seed decides. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
