import type { Benchmark } from './benchmark.ts';

/** Every benchmark there is; add a file and a line. */
export const benchmarks: readonly Benchmark[] = [];
