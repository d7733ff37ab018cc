import { setTimeout as delay } from 'node:timers/promises';
import { randomFrom } from '../full.ts';
import { growth } from './growth.ts';
import { finished, send, type Finished, type Order } from './soak-orders.ts';
import { startSoakSystem, type Holdings, type Process, type SoakSystem } from './soak-system.ts';
import { INPUTS, KINDS } from './soak-workflows.ts';

const ORDERS_PER_SECOND = 6;
const APIS = 2;
const RUNNERS = 3;
const RUNNER_KILL_MS = 20_000;
const SAMPLE_MS = 2000;
/** For the last order to be acknowledged, and the last execution to end. */
const SETTLE_MS = 180_000;

export interface SoakOptions {
  seconds: number;
  /** Decides which orders come when. */
  seed: number;
  progress(text: string): void;
}

export interface Grown {
  process: string;
  what: keyof Holdings;
  before: number;
  after: number;
}

export interface SoakReport {
  /** Sent, and acknowledged. */
  sent: number;
  acknowledged: number;
  /** Attempts that had to be repeated. */
  repeated: number;
  /** Acknowledged orders whose one execution ended as the same order did without faults. */
  right: number;
  /** What is wrong with the others; for people. */
  wrong: string[];
  /** Executions beyond one per order. */
  duplicates: number;
  takenOver: number;
  requests: number;
  /** Distinct idempotency keys the double saw, and how many there would be without faults. */
  effects: number;
  expectedEffects: number;
  faults: { runnerKills: number; apiKills: number; postgresKills: number; postgresRestarts: number; failovers: number };
  /** Of the api and the runner that live all the time. */
  grown: Grown[];
}

/** Mixed load on real processes, of which now and then one is killed; in the end every order must be as without faults. */
export async function runSoak({ seconds, seed, progress }: SoakOptions): Promise<SoakReport> {
  await using stack = new AsyncDisposableStack();
  progress(`seed ${seed}; starting PostgreSQL, ${APIS} api and ${RUNNERS} runners`);
  const system = await startSoakSystem(stack, APIS);
  const apis = await Promise.all(Array.from({ length: APIS }, (_, index) => system.startApi(index)));
  const runners = await Promise.all(Array.from({ length: RUNNERS }, (_, index) => system.startRunner(index)));

  progress('every kind of order with every input, without faults');
  const patterns = await faultFree(system);
  const from = patterns.size;

  progress(`${seconds} s of ${ORDERS_PER_SECOND} orders/s with faults`);
  const stop = new AbortController();
  const samples = new Map<string, Holdings[]>();
  const sampling = Promise.all([sample('api', apis[0], samples, stop.signal), sample('runner', runners[0], samples, stop.signal)]);
  const breaking = inflict(system, { apis, runners, seconds, progress });
  const { orders, attempts } = await load(system, { seconds, seed, from });
  const faults = await breaking;
  stop.abort();
  await sampling;

  progress('waiting for the last execution');
  const all = await finished(system.store, SETTLE_MS);
  return { ...judge(orders, attempts, all, patterns), ...effectsOf(system, orders), faults, grown: grownOf(samples) };
}

/** The results, by kind and input. */
async function faultFree(system: SoakSystem): Promise<Map<string, string>> {
  const orders = KINDS.flatMap(({ kind }) => Array.from({ length: INPUTS }, (_, input) => ({ kind, input }))).map((each, order) => ({ ...each, order }));
  const signal = AbortSignal.timeout(SETTLE_MS);
  for (const order of orders) await send(order, system.urls, signal);
  const { results, takenOver } = await finished(system.store, SETTLE_MS);
  const patterns = new Map(orders.map(({ order, kind, input }) => [`${kind} ${input}`, results.get(order)?.[0]?.result ?? '']));
  if (takenOver > 0 || results.size !== orders.length || [...patterns.values()].includes('')) throw new Error(`${results.size} of ${orders.length} orders ended without any fault`);
  return patterns;
}

/** Open loop: the next order does not wait for the one before. */
async function load(system: SoakSystem, { seconds, seed, from }: { seconds: number; seed: number; from: number }): Promise<{ orders: Order[]; attempts: number[] }> {
  const random = randomFrom(seed);
  const start = performance.now();
  const [orders, pending]: [Order[], Promise<number>[]] = [[], []];
  const signal = AbortSignal.timeout(seconds * 1000 + SETTLE_MS);
  for (let index = 0; index < seconds * ORDERS_PER_SECOND; index += 1) {
    const early = start + (index * 1000) / ORDERS_PER_SECOND - performance.now();
    if (early > 0) await delay(early);
    const order = { order: from + index, kind: KINDS[Math.floor(random() * KINDS.length)]?.kind ?? '', input: Math.floor(random() * INPUTS) };
    orders.push(order);
    pending.push(send(order, system.urls, signal));
  }
  return { orders, attempts: await Promise.all(pending) };
}

/** The first of each is left alone: what it holds is what is measured. */
async function inflict(system: SoakSystem, { apis, runners, seconds, progress }: { apis: Process[]; runners: Process[]; seconds: number; progress(text: string): void }): Promise<SoakReport['faults']> {
  const faults = { runnerKills: 0, apiKills: 0, postgresKills: 0, postgresRestarts: 0, failovers: 0 };
  const start = performance.now();
  const at = async (ms: number, what: string, act: () => Promise<void>): Promise<void> => {
    await delay(Math.max(0, start + ms - performance.now()));
    progress(`${Math.round((performance.now() - start) / 1000)} s: ${what}`);
    await act();
  };
  async function killRunners(): Promise<void> {
    for (let ms = RUNNER_KILL_MS; ms < seconds * 1000; ms += RUNNER_KILL_MS) {
      const index = 1 + (faults.runnerKills % (RUNNERS - 1));
      await at(ms, `kill -9 of runner ${index}`, async () => {
        faults.runnerKills += 1;
        await runners[index]?.kill();
        runners[index] = await system.startRunner(index);
      });
    }
  }
  async function breakServers(): Promise<void> {
    const share = (part: number): number => part * seconds * 1000;
    await at(share(0.25), 'restart of PostgreSQL', async () => {
      faults.postgresRestarts += 1;
      await system.postgres.shutdown();
      await system.postgres.start();
    });
    await at(share(0.5), 'kill -9 of an api', async () => {
      faults.apiKills += 1;
      await apis[1]?.kill();
      apis[1] = await system.startApi(1);
    });
    await at(share(0.7), 'kill -9 of PostgreSQL', async () => {
      faults.postgresKills += 1;
      await system.postgres.kill();
      await system.postgres.start();
    });
    await at(share(0.85), 'failover of PostgreSQL to its standby', async () => {
      faults.failovers += 1;
      await system.failOver();
    });
  }
  await Promise.all([killRunners(), breakServers()]);
  return faults;
}

async function sample(name: string, process: Process | undefined, samples: Map<string, Holdings[]>, signal: AbortSignal): Promise<void> {
  if (process === undefined) return;
  const series: Holdings[] = [];
  samples.set(name, series);
  while (!signal.aborted) {
    series.push(await process.holdings());
    await delay(SAMPLE_MS);
  }
}

function judge(orders: readonly Order[], attempts: readonly number[], { results, takenOver }: Finished, patterns: ReadonlyMap<string, string>) {
  const acknowledged = orders.filter((_, index) => (attempts[index] ?? -1) >= 0);
  const wrong: string[] = [];
  let duplicates = 0;
  for (const { order, kind, input } of acknowledged) {
    const [found, ...more] = results.get(order) ?? [];
    duplicates += more.length;
    if (found?.result !== patterns.get(`${kind} ${input}`)) wrong.push(`order ${order} (${kind}, ${input}): ${found?.result ?? 'no execution'}`);
  }
  return {
    sent: orders.length, acknowledged: acknowledged.length, repeated: attempts.reduce((sum, each) => sum + Math.max(0, each), 0),
    right: acknowledged.length - wrong.length, wrong, duplicates, takenOver,
  };
}

/** What the double saw of these orders; those without faults are not counted. */
function effectsOf({ effects }: SoakSystem, orders: readonly Order[]): Pick<SoakReport, 'requests' | 'effects' | 'expectedEffects'> {
  const first = orders[0]?.order ?? 0;
  const keys = KINDS.flatMap(({ effectPath }) => effects.requests(effectPath).map((headers) => String(headers['idempotency-key']))).filter((key) => Number.parseInt(key, 10) >= first);
  const perKind = new Map(KINDS.map((each) => [each.kind, each.effects]));
  return { requests: keys.length, effects: new Set(keys).size, expectedEffects: orders.reduce((sum, { kind }) => sum + (perKind.get(kind) ?? 0), 0) };
}

function grownOf(samples: ReadonlyMap<string, readonly Holdings[]>): Grown[] {
  return [...samples].flatMap(([process, series]) => (['rss', 'heap', 'sockets'] as const).map((what) => ({ process, what, ...growth(series.map((holdings) => holdings[what])) })));
}
