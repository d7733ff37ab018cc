import type { Benchmark } from './benchmark.ts';
import { drain } from './drain.ts';
import { engine } from './engine.ts';
import { expressions } from './expressions.ts';
import { history } from './history.ts';
import { chain, loops, payload } from './latency-peers.ts';
import { map } from './map.ts';
import { memory } from './memory.ts';
import { operator } from './operator.ts';
import { pods } from './pods.ts';
import { queue } from './queue.ts';
import { readiness } from './readiness.ts';
import { scale } from './scale.ts';
import { soak } from './soak.ts';
import { throughput } from './throughput.ts';
import { webhook } from './webhook.ts';

/** Every benchmark there is; add a file and a line. */
export const benchmarks: readonly Benchmark[] = [webhook, readiness, operator, queue, expressions, engine, memory, throughput, drain, history, chain, loops, payload, scale, soak, pods, map];
