import { Client } from 'pg';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';
import { median, percentile, type Benchmark, type Figure } from './benchmark.ts';
import { closedLoop, type ClosedLoopResult } from './closed-loop.ts';
import { memoryOf } from './memory-of.ts';
import { openLoop } from './open-loop.ts';
import { startN8n } from './peers/n8n.ts';
import { physicalLimit, type Writes } from './physical-limit.ts';
import { startSystem, type MillraceSystem } from './system.ts';
import { imported, intake } from './workflows.ts';

const N8N_CLIENTS = 16;
const CLIENTS = 64;
const SECONDS = 8;
const WARM_UP_SECONDS = 3;
/** Open loop: the first rate, and how much more each time. */
const FIRST_RATE = 400;
const GROWTH = 1.25;
const P99_MS = 250;
const TIMES_N8N = 30;
const MIB = 2 ** 20;

const body = (index: number): string => JSON.stringify({ price: index, count: 2 });
const accept = ({ status, text }: { status: number; text: string }, index: number): boolean => status === 200 && text === `{"total":${index * 2}}`;

interface Measured {
  closed: ClosedLoopResult[];
  /** Requests per second at fixed times that were all answered rightly with p99 under the bound; the highest tried. */
  openRate: number;
  memory: number;
}

/** Webhook → set → answer, every execution durable, load generator and PostgreSQL on the same machine; beside n8n and beside bare statements. */
export const throughput: Benchmark = {
  name: 'throughput',
  about: 'webhook → set → answer, executions/s: api + runner + PostgreSQL, beside n8n (main mode, PostgreSQL) and beside what PostgreSQL can do at all',
  async run({ runs, progress }) {
    await using stack = new AsyncDisposableStack();
    const postgres = stack.adopt(await startPostgres({ settings: { shared_preload_libraries: "'pg_stat_statements'" } }), (server) => server.stop());
    progress(await durabilityOf(postgres));
    const n8n = await measureN8n(postgres, runs, progress);
    const { measured, writes } = await measureMillrace(postgres, runs, progress);
    progress(`${writes.batch.toFixed(1)} executions per commit; bytes: trigger ${writes.trigger}, brief ${writes.brief}, response ${writes.response}, data ${writes.data}`);
    const limit = await physicalLimit(await postgres.database(), writes, { seconds: 4, progress });
    return figures(n8n, measured, limit);
  },
};

function figures(n8n: Measured, ours: Measured, limit: number): Figure[] {
  const of = ({ closed }: Measured, read: (result: ClosedLoopResult) => number): number => median(closed.map(read));
  const rate = (measured: Measured): number => of(measured, (result) => result.rate);
  const at = (measured: Measured, share: number): number => of(measured, ({ latencies }) => percentile(latencies, share));
  const beside = (value: number): { name: string; value: number } => ({ name: 'n8n', value });
  return [
    { name: `executions/s, ${CLIENTS} callers (n8n: ${N8N_CLIENTS})`, value: rate(ours), unit: '/s', target: { atLeast: TIMES_N8N * rate(n8n) }, beside: beside(rate(n8n)) },
    { name: 'p50', value: at(ours, 0.5), unit: 'ms', beside: beside(at(n8n, 0.5)) },
    { name: 'p99', value: at(ours, 0.99), unit: 'ms', target: { atMost: P99_MS }, beside: beside(at(n8n, 0.99)) },
    { name: 'wrong or missing answers', value: ours.closed.reduce((sum, { errors }) => sum + errors, 0), unit: 'count', target: { atMost: 0 }, beside: beside(n8n.closed.reduce((sum, { errors }) => sum + errors, 0)) },
    { name: `requests/s at fixed times, p99 < ${P99_MS} ms, no error`, value: ours.openRate, unit: '/s', target: { atLeast: TIMES_N8N * rate(n8n) }, beside: beside(n8n.openRate) },
    { name: 'times n8n', value: rate(ours) / rate(n8n), unit: 'x', target: { atLeast: TIMES_N8N } },
    { name: 'executions/s beside the physical limit', value: rate(ours), unit: '/s', target: { atLeast: limit / 2 }, beside: { name: 'pgbench', value: limit } },
    { name: 'memory of the runner (n8n: all of it)', value: ours.memory, unit: 'MB', target: { atMost: 0.6 * n8n.memory }, beside: beside(n8n.memory) },
  ];
}

async function durabilityOf(postgres: Postgres): Promise<string> {
  const names = ['server_version', 'fsync', 'full_page_writes', 'synchronous_commit'];
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  const { rows } = await client.query<{ name: string; setting: string }>('SELECT name, setting FROM pg_settings WHERE name = ANY($1)', [names]);
  await client.end();
  return `PostgreSQL: ${rows.map(({ name, setting }) => `${name} ${setting}`).join(', ')}; logged tables`;
}

async function measureN8n(postgres: Postgres, runs: number, progress: (text: string) => void): Promise<Measured> {
  await using n8n = await startN8n({ databaseUrl: await postgres.database(), progress });
  const { url } = await n8n.publish(intake());
  const load = async (seconds: number): Promise<ClosedLoopResult> => closedLoop({ url, clients: N8N_CLIENTS, seconds, body, accept });
  await load(WARM_UP_SECONDS);
  return { closed: await repeated(runs, () => load(SECONDS), (text) => progress(`n8n: ${text}`)), openRate: await climb(url, 10, progress), memory: memoryOf(n8n.pid) / MIB };
}

async function measureMillrace(postgres: Postgres, runs: number, progress: (text: string) => void): Promise<{ measured: Measured; writes: Writes }> {
  await using system = await startSystem({ postgres, executors: 1 });
  await using statistics = await openStatistics(system.databaseUrl);
  const url = await system.publish(imported(intake()));
  const load = async (seconds: number): Promise<ClosedLoopResult> => closedLoop({ url, clients: CLIENTS, seconds, body, accept });
  await load(WARM_UP_SECONDS);
  await statistics.reset();
  const trigger = triggerBytes(system);
  const closed = await repeated(runs, () => load(SECONDS), progress);
  const writes = await statistics.read(await trigger);
  return { measured: { closed, openRate: await climb(url, FIRST_RATE, progress), memory: memoryOf(system.runner.pid) / MIB }, writes };
}

async function repeated(runs: number, load: () => Promise<ClosedLoopResult>, progress: (text: string) => void): Promise<ClosedLoopResult[]> {
  const results: ClosedLoopResult[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const result = await load();
    results.push(result);
    progress(`run ${run}: ${Math.round(result.rate)}/s, p50 ${percentile(result.latencies, 0.5).toFixed(1)} ms, p99 ${percentile(result.latencies, 0.99).toFixed(1)} ms, ${result.errors} errors`);
  }
  return results;
}

/** Sends at fixed times, faster and faster until the answers come too late or wrong. Resolves to the highest rate that held. */
async function climb(url: string, first: number, progress: (text: string) => void): Promise<number> {
  let held = 0;
  for (let rate = first; ; rate = Math.ceil(rate * GROWTH)) {
    const { latencies, errors } = await openLoop({ url, rate, count: Math.round(rate * SECONDS), body: (index) => ({ price: index, count: 2 }), accept });
    const p99 = percentile(latencies, 0.99);
    progress(`${rate}/s at fixed times: p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${errors} errors`);
    if (errors > 0 || p99 >= P99_MS) return held;
    held = rate;
  }
}

/** Of an execution that is in the queue while load is on. */
async function triggerBytes({ databaseUrl }: MillraceSystem): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (;;) {
      const { rows: [row] } = await client.query<{ bytes: number }>('SELECT octet_length(trigger) AS bytes FROM millrace.queue LIMIT 1');
      if (row) return row.bytes;
    }
  } finally {
    await client.end();
  }
}

/** Counts the commits of executions, and what was kept of them. */
async function openStatistics(url: string): Promise<{ reset(): Promise<void>; read(trigger: number): Promise<Writes> } & AsyncDisposable> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE EXTENSION pg_stat_statements');
  return {
    reset: async () => void await client.query('SELECT pg_stat_statements_reset()'),
    async read(trigger) {
      const { rows: [row] } = await client.query<{ commits: number; executions: number }>(`
        SELECT sum(calls)::float8 AS commits, max(rows) FILTER (WHERE query LIKE '%INSERT INTO millrace.execution (%')::float8 AS executions FROM pg_stat_statements
        WHERE query LIKE '%INSERT INTO millrace.queue (%' OR query LIKE '%INSERT INTO millrace.execution (%' OR query LIKE '%claimed_at = now()%'`);
      const { rows: [kept] } = await client.query<Omit<Writes, 'batch' | 'trigger'>>(`
        SELECT avg(octet_length(brief))::float8 AS brief, avg(octet_length(response))::float8 AS response, avg(octet_length(data))::float8 AS data FROM millrace.execution`);
      if (!row || !kept) throw new Error('PostgreSQL keeps no statistics');
      return { batch: (3 * row.executions) / row.commits, trigger, brief: Math.round(kept.brief), response: Math.round(kept.response), data: Math.round(kept.data) };
    },
    [Symbol.asyncDispose]: async () => client.end(),
  };
}
