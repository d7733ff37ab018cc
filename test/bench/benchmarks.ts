import type { Benchmark } from './benchmark.ts';
import { expressions } from './expressions.ts';
import { operator } from './operator.ts';
import { queue } from './queue.ts';
import { readiness } from './readiness.ts';
import { webhook } from './webhook.ts';

/** Every benchmark there is; add a file and a line. */
export const benchmarks: readonly Benchmark[] = [webhook, readiness, operator, queue, expressions];
