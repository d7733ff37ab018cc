import type { Benchmark } from './benchmark.ts';
import { webhook } from './webhook.ts';

/** Every benchmark there is; add a file and a line. */
export const benchmarks: readonly Benchmark[] = [webhook];
