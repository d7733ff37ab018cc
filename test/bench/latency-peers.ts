import { startPostgres } from '../postgres/postgres.ts';
import { median, percentile, type Benchmark, type BenchmarkOptions, type Figure } from './benchmark.ts';
import { startEchoServer } from './echo-server.ts';
import { startN8n, type N8nWorkflow } from './peers/n8n.ts';
import { startSystem } from './system.ts';
import { httpChain, imported, lightChain, loop, passOn, savingProgress } from './workflows.ts';

/** A call of a webhook whose answer comes when the execution has ended. */
interface Row {
  name: string;
  workflow: N8nWorkflow;
  /** n8n's own variant of the same, where it needs a setting. */
  n8n?: N8nWorkflow;
  body: string;
  atMost?: number;
}

const CALLS = 10;
const CHAIN = 40;
const KIB = 1024;
const PAYLOADS = [1.6, 16, 160, 1600, 5 * KIB];

/** The caller's milliseconds of each call, the first ones left out. */
async function calls(url: string, { name, body }: Row, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let call = -2; call < count; call += 1) {
    const start = performance.now();
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${name}: ${url} answered ${response.status}: ${text.slice(0, 500)}`);
    if (call >= 0) times.push(performance.now() - start);
  }
  return times;
}

async function beside(rows: readonly Row[], { runs, progress }: BenchmarkOptions): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack();
  const postgres = stack.adopt(await startPostgres(), (server) => server.stop());
  const peer = await (async () => {
    await using n8n = await startN8n({ databaseUrl: await postgres.database(), env: { N8N_PAYLOAD_SIZE_MAX: '16' }, progress });
    const measured: number[][] = [];
    for (const row of rows) {
      const { url } = await n8n.publish(row.n8n ?? row.workflow);
      measured.push(await calls(url, row, runs * CALLS));
      progress(`n8n: ${row.name}: p50 ${median(measured.at(-1) ?? []).toFixed(1)} ms`);
    }
    return measured;
  })();
  await using system = await startSystem({ postgres, executors: 1 });
  const figures: Figure[] = [];
  for (const [index, row] of rows.entries()) {
    const own = await calls(await system.publish(imported(row.workflow)), row, runs * CALLS);
    progress(`${row.name}: p50 ${median(own).toFixed(1)} ms`);
    const theirs = peer[index] ?? [];
    figures.push(
      { name: `${row.name}, p50`, value: median(own), unit: 'ms', ...(row.atMost !== undefined && { target: { atMost: row.atMost } }), beside: { name: 'n8n', value: median(theirs) } },
      { name: `${row.name}, p99`, value: percentile(own, 0.99), unit: 'ms', beside: { name: 'n8n', value: percentile(theirs, 0.99) } },
    );
  }
  return figures;
}

/** See engine.ts for what a light effectful node is, and what is committed when. */
export const chain: Benchmark = {
  name: 'chain',
  about: `webhook → ${CHAIN} effectful nodes → answer, each committed, one call at a time, beside n8n with progress saved (PostgreSQL)`,
  async run(options) {
    await using stack = new AsyncDisposableStack();
    const { url } = stack.use(await startEchoServer());
    return beside([
      { name: `${CHAIN} random UUIDs`, workflow: lightChain(CHAIN), n8n: savingProgress(lightChain(CHAIN)), body: '{}', atMost: 100 },
      { name: `${CHAIN} HTTP requests`, workflow: httpChain(CHAIN, url), n8n: savingProgress(httpChain(CHAIN, url)), body: '{}' },
    ], options);
  },
};

export const loops: Benchmark = {
  name: 'loop',
  about: 'webhook → loop of 3 nodes, 100 times → answer, one call at a time, beside n8n (PostgreSQL)',
  run: async (options) => beside([{ name: 'loop of 3 nodes, 100 times', workflow: loop(100), body: '{}', atMost: 150 }], options),
};

export const payload: Benchmark = {
  name: 'payload',
  about: 'webhook → set → answer with bodies from 1.6 KB to 5 MB, kept with the execution, one call at a time, beside n8n (PostgreSQL)',
  run: async (options) => beside(PAYLOADS.map((kib) => ({
    name: kib < KIB ? `${kib} KB` : `${(kib / KIB).toFixed(1)} MB`, workflow: passOn(`payload-${Math.round(kib)}`), body: bodyOf(kib * KIB),
  })), options),
};

/** JSON of about so many bytes: a list of orders that differ. */
function bodyOf(bytes: number): string {
  const orders: object[] = [];
  for (let size = 0; size < bytes; size += 160) {
    const number = orders.length;
    orders.push({ id: `A-${number}`, customer: `customer number ${(number * 7919) % 100_003}`, email: `c${number}@example.test`, lines: [{ sku: `X-${number % 97}`, count: number % 7, price: number * 1.1 }] });
  }
  return JSON.stringify({ orders });
}
