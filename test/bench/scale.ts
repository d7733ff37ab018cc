import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from '../cluster/free-port.ts';
import { startPostgres } from '../postgres/postgres.ts';
import type { Postgres } from '../postgres/postgres.ts';
import { PoolSizes } from '../../operator/controllers/runner-pool/pool-sizes.ts';
import { WorkListener } from '../../operator/controllers/runner-pool/work-listener.ts';
import { silentLog, systemClock } from '../../operator/kube/index.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import { migrate, openStore } from '../../store/store.ts';
import type { Store } from '../../store/store.ts';
import { median } from './benchmark.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { cpuTime } from './cpu-time.ts';
import { simulateQueue } from './queue-simulation.ts';
import type { StatementCosts } from './queue-simulation.ts';
import { startRole } from './role.ts';
import type { Role } from './role.ts';

const EXECUTIONS = 2000;
const BATCH = 500;
const RUNNERS = [1, 2, 4];
const SIMULATED = [1, 10, 50, 100, 250, 500, 1000];
const SLOTS = 40;
/** A database server as people buy them, and workflows that call somebody. */
const CORES = 16;
const ANSWER_MS = 2;
const SERVICE_MS = 250;
const HEAR_MS = 500;
const SCALED_RATE = 1000;

const request: EnqueueRequest = { namespace: 'bench', workflow: 'scale', mode: 'Webhook', trigger: { node: 'Order', items: [{ json: { body: { price: 3, count: 2 } } }] } };

interface Rig {
  postgres: Postgres;
  store: Store;
  url: string;
}

/** How a pool grows: measured with real runners as far as this machine goes, then simulated with what their statements cost. */
export const scale: Benchmark = {
  name: 'scale',
  about: `${EXECUTIONS} executions with 1 to 4 runners, then up to 1,000 simulated with the measured costs; how soon a burst is decided on`,
  async run({ runs, progress }) {
    const postgres = await startPostgres();
    try {
      const url = await postgres.database();
      await migrate({ url, applicationName: 'bench' });
      const store = await openStore({ url, applicationName: 'bench', poolSize: 4 });
      const rig = { postgres, store, url };
      try {
        await publish(store);
        const costs = await statementCosts(rig);
        progress(`milliseconds of PostgreSQL: ${Object.entries(costs).map(([name, ms]) => `${name} ${ms.toFixed(3)}`).join(', ')}`);
        const burst = median(await times(runs, () => burstToDecision(rig)));
        const measured: Measured[] = [];
        for (const count of RUNNERS) measured.push(await withRunners(rig, count, { runs, progress }));
        progress(saturated(measured));
        return [...measured.flatMap(figuresOf), { name: 'burst → decision', value: burst, unit: 'ms', target: { atMost: 5000 } }, ...simulated(costs, measured, progress)];
      } finally {
        await store.close();
      }
    } finally {
      await postgres.stop();
    }
  },
};

async function times<T>(count: number, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < count; n += 1) results.push(await run());
  return results;
}

async function publish(store: Store): Promise<void> {
  const { revision } = await store.revisions.put({
    namespace: 'bench', workflow: 'scale', uid: 'bench', definition: {
      id: 'bench/scale', name: 'scale',
      nodes: [
        { name: 'Order', type: 'manualTrigger', typeVersion: 1, position: [0, 0], parameters: {} },
        { name: 'Total', type: 'set', typeVersion: 3.4, position: [220, 0], parameters: { assignments: { assignments: [{ id: 'a', name: 'total', type: 'number', value: '={{ $json.body.price * $json.body.count }}' }] } } },
      ],
      connections: [{ from: 'Order', output: 0, to: 'Total', input: 0, type: 'main' }],
    },
  });
  await store.routes.apply({ namespace: 'bench', workflow: 'scale', uid: 'bench', active: true, stable: revision, pool: 'bench', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [] });
}

async function enqueue(store: Store, count: number): Promise<void> {
  for (let queued = 0; queued < count; queued += BATCH) await store.queue.enqueue(Array.from({ length: Math.min(BATCH, count - queued) }, () => request));
}

/** Processor time of PostgreSQL for each kind of statement, from many of them one after the other. */
async function statementCosts({ postgres, store }: Rig): Promise<StatementCosts> {
  const run = [{ node: 'Order', runIndex: 0, status: 'success', source: [null], outputs: [request.trigger.items], startedAt: 0, durationMs: 1 }] as const;
  const spent = async (count: number, work: () => Promise<unknown>): Promise<number> => {
    const before = postgres.cpuMs();
    for (let n = 0; n < count; n += 1) await work();
    return (postgres.cpuMs() - before) / count;
  };
  const pairs = async (count: number, size: number): Promise<{ claim: number; finish: number }> => {
    await enqueue(store, count * size);
    const claims: Awaited<ReturnType<Store['queue']['claim']>>['claims'][] = [];
    const claim = await spent(count, async () => { claims.push((await store.queue.claim({ pool: 'bench', runner: 'bench/1', limit: size, leaseMs: 600_000 })).claims); });
    const finish = await spent(count, async () => {
      const batch = claims.pop() ?? [];
      await store.queue.finish(batch.map(({ executionId, fence, save }) => ({ executionId, fence, save, result: { status: 'Succeeded', runs: run } })));
    });
    return { claim, finish };
  };
  await pairs(20, 20);
  const queued = await spent(4, () => enqueue(store, BATCH)) / BATCH;
  for (let left = 4 * BATCH; left > 0; left -= BATCH) {
    const { claims } = await store.queue.claim({ pool: 'bench', runner: 'bench/1', limit: BATCH, leaseMs: 600_000 });
    await store.queue.finish(claims.map(({ executionId, fence, save }) => ({ executionId, fence, save, result: { status: 'Succeeded', runs: run } })));
  }
  const [one, many] = [await pairs(300, 1), await pairs(30, SLOTS)];
  const emptyClaim = await spent(300, () => store.queue.claim({ pool: 'bench', runner: 'bench/1', limit: SLOTS }));
  const renew = await spent(300, () => store.queue.renew({ runner: 'bench/1', leases: [] }));
  await store.queue.leave('bench/1');
  const each = (large: number, small: number): number => Math.max(0, large - small) / (SLOTS - 1);
  return {
    emptyClaim, renew, queued,
    claimed: each(many.claim, one.claim), claim: Math.max(0, one.claim - each(many.claim, one.claim)),
    finished: each(many.finish, one.finish), finish: Math.max(0, one.finish - each(many.finish, one.finish)),
  };
}

/** From the commit of a burst until the pool's new size is decided on, by the operator's own parts; pods start after that. */
async function burstToDecision({ store }: Rig): Promise<number> {
  const sizes = new PoolSizes((pool) => store.queue.stats(pool), systemClock);
  const pool = { apiVersion: 'millrace.dev/v1alpha1', kind: 'RunnerPool', metadata: { name: 'bench', namespace: 'bench' }, spec: { scaling: { minReplicas: 1, maxReplicas: 100 } } };
  await sizes.sizeOf('bench/bench', pool, 1);
  const heard = Promise.withResolvers<undefined>();
  let isBurst = false;
  const listener = new WorkListener(store.notifications, { log: silentLog, onWork: () => { if (isBurst) heard.resolve(undefined); } });
  listener.listen('bench');
  await delay(200);
  isBurst = true;
  await enqueue(store, EXECUTIONS);
  const committed = performance.now();
  await heard.promise;
  await delay(HEAR_MS);
  const { replicas } = await sizes.sizeOf('bench/bench', pool, 1);
  const took = performance.now() - committed;
  if (replicas < 5) throw new Error(`A burst of ${EXECUTIONS} was answered with ${replicas} runners`);
  await listener.close();
  await discard(store);
  return took;
}

async function discard(store: Store): Promise<void> {
  for (;;) {
    const { claims } = await store.queue.claim({ pool: 'bench', runner: 'bench/discard', limit: BATCH });
    if (claims.length === 0) break;
    await store.queue.finish(claims.map(({ executionId, fence, save }) => ({ executionId, fence, save, result: { status: 'Succeeded', runs: [] } })));
  }
  await store.queue.leave('bench/discard');
}

interface Measured {
  runners: number;
  perSecond: number;
  /** Milliseconds of processor per execution. */
  runnerCpu: number;
  postgresCpu: number;
  connections: number;
}

async function withRunners(rig: Rig, runners: number, { runs, progress }: { runs: number; progress: (text: string) => void }): Promise<Measured> {
  const roles = await Promise.all(Array.from({ length: runners }, (_, index) => startRunner(rig.url, index)));
  try {
    await drain(rig, roles);
    const results = await times(runs, () => drain(rig, roles));
    const of = (read: (result: Omit<Measured, 'runners'>) => number): number => median(results.map(read));
    const measured = { runners, perSecond: of((r) => r.perSecond), runnerCpu: of((r) => r.runnerCpu), postgresCpu: of((r) => r.postgresCpu), connections: of((r) => r.connections) };
    progress(`${runners} runners: ${measured.perSecond.toFixed(0)}/s`);
    return measured;
  } finally {
    await Promise.all(roles.map((role) => role.stop()));
  }
}

async function startRunner(url: string, index: number): Promise<Role> {
  const port = await freePort();
  const env = { MILLRACE_DATABASE_URL: url, MILLRACE_POOL: 'bench', MILLRACE_EXECUTORS: '1', MILLRACE_EXECUTOR_CONCURRENCY: String(SLOTS), MILLRACE_HEALTH_PORT: String(port), POD_NAME: `runner-${index}` };
  return startRole('runner/main.ts', env, async () => fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false));
}

async function drain({ postgres, store, url }: Rig, roles: readonly Role[]): Promise<Omit<Measured, 'runners'>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const count = async (text: string): Promise<number> => (await client.query<{ n: number }>(text)).rows[0]?.n ?? 0;
  const ended = 'SELECT count(*)::int AS n FROM millrace.execution';
  const cpuOfRunners = async (): Promise<number> => (await Promise.all(roles.map(({ pid }) => cpuTime(pid)))).reduce((sum, ms) => sum + ms, 0);
  try {
    const before = { ended: await count(ended), postgres: postgres.cpuMs(), runners: await cpuOfRunners(), at: performance.now() };
    await enqueue(store, EXECUTIONS);
    while (await count(ended) < before.ended + EXECUTIONS) await delay(20);
    const seconds = (performance.now() - before.at) / 1000;
    return {
      perSecond: EXECUTIONS / seconds, runnerCpu: (await cpuOfRunners() - before.runners) / EXECUTIONS, postgresCpu: (postgres.cpuMs() - before.postgres) / EXECUTIONS,
      connections: await count("SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'millrace-runner%'") / roles.length,
    };
  } finally {
    await client.end();
  }
}

function busyProcessors({ perSecond, runnerCpu, postgresCpu }: Measured): number {
  return perSecond * (runnerCpu + postgresCpu) / 1000;
}

function saturated(measured: readonly Measured[]): string {
  const busy = Math.max(...measured.map(busyProcessors));
  const processors = availableParallelism();
  return busy > 0.8 * processors
    ? `the ${processors} processors of this machine saturate`
    : `only ${busy.toFixed(1)} of ${processors} processors are busy: the disk under PostgreSQL's commits saturates, or other jobs of this machine`;
}

function figuresOf(measured: Measured): Figure[] {
  const { runners, perSecond, runnerCpu, postgresCpu } = measured;
  const name = runners === 1 ? '1 runner' : `${runners} runners`;
  return [
    { name: `${name}, executions`, value: perSecond, unit: '/s' },
    { name: `${name}, processors busy with them`, value: busyProcessors(measured), unit: 'x' },
    { name: `${name}, CPU per execution, runners`, value: runnerCpu, unit: 'ms' },
    { name: `${name}, CPU per execution, PostgreSQL`, value: postgresCpu, unit: 'ms' },
  ];
}

/** One PostgreSQL of 16 processors, runners of one processor and 40 slots, executions that hold a slot for 250 ms; a fifth more work than the runners can do. */
function simulated(costs: StatementCosts, measured: readonly Measured[], progress: (text: string) => void): Figure[] {
  const runnerLimit = 1000 / (measured[0]?.runnerCpu ?? 1);
  const perRunner = Math.min(runnerLimit, SLOTS * 1000 / SERVICE_MS);
  const base = { costs, cores: CORES, answerMs: ANSWER_MS, slots: SLOTS, serviceMs: SERVICE_MS, runnerLimit };
  const results = SIMULATED.map((runners) => simulateQueue({ ...base, runners, rate: Math.min(60_000, 1.2 * perRunner * runners), lengthMs: 10_000 }));
  for (const { runners, perSecond, database, batch, slots } of results) {
    progress(`simulated, ${runners} runners: ${perSecond.toFixed(0)}/s, PostgreSQL ${(database * 100).toFixed(0)} % busy, ${(slots * 100).toFixed(0)} % of slots taken, ${batch.toFixed(1)} executions per claim`);
  }
  const most = Math.max(...results.map(({ perSecond }) => perSecond));
  const full = results.find(({ database }) => database > 0.95);
  // Every message about work makes all idle runners look, and most find nothing.
  const idle = simulateQueue({ ...base, runners: 1000, rate: 100, lengthMs: 10_000 });
  const connections = Math.max(...measured.map((entry) => entry.connections));
  const scaled = simulateQueue({ ...base, rate: SCALED_RATE, lengthMs: 300_000, runners: { policy: { minReplicas: 1, maxReplicas: 1000, targetWaitMs: 10_000, stabilizationMs: 120_000 }, startMs: 8000 } });
  progress(full
    ? `the first bottleneck is the processor time of PostgreSQL, from ${full.runners} runners on: past ${most.toFixed(0)} executions/s give each group of namespaces an installation with a PostgreSQL of its own`
    : `PostgreSQL is not full with 1,000 runners: the runners' slots are the bottleneck up to there`);
  progress(`1,000 runners hold up to ${(1000 * connections).toFixed(0)} connections: beyond max_connections put a pooler that keeps sessions in front, or use fewer runners with more executors`);
  return [
    ...results.map(({ runners, perSecond }): Figure => ({ name: `simulated, ${runners} runners`, value: perSecond, unit: '/s' })),
    { name: 'simulated, runners from which PostgreSQL is full', value: full?.runners ?? Number.NaN, unit: 'count' },
    { name: 'simulated, PostgreSQL busy, 1,000 idle runners', value: idle.database * 100, unit: '%' },
    { name: `simulated, ${SCALED_RATE}/s, runners by decide()`, value: scaled.runners, unit: 'count', beside: { name: 'needed', value: Math.ceil(SCALED_RATE / perRunner) } },
    { name: `simulated, ${SCALED_RATE}/s, waiting at the end`, value: scaled.waiting, unit: 'count' },
    { name: 'shards for 100,000/s', value: Math.ceil(100_000 / (0.7 * most)), unit: 'count' },
  ];
}
