import { randomUUID } from 'node:crypto';
import { execute } from '../../runner/engine/engine.ts';
import { ExecutionMode, ExecutionStatus } from '../../runner/engine/node-run.ts';
import { createLocalHost } from '../../runner/local-host.ts';
import { nodeTypes } from '../../runner/nodes/registry.ts';
import { createSandbox } from '../../runner/sandbox/create-sandbox.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';
import { median, type Benchmark, type BenchmarkOptions, type Figure } from './benchmark.ts';
import { startEchoServer } from './echo-server.ts';
import { expressions } from './expressions.ts';
import { startN8n, type N8nWorkflow } from './peers/n8n.ts';
import { startSystem } from './system.ts';
import { httpChain, imported, ITEM_NODES, items, lightChain, loop, savingProgress, tenFields } from './workflows.ts';

const STEPS = 40;
const ITERATIONS = 100;
const ITEMS = 10_000;
const EXPRESSION_ITEMS = 10_000;
const FIELDS = 10;
const COMPUTED = '={{ $json.a.b }}';
const TIMES_N8N = 10;
/** Runs of a row before it is measured, the same for both: servers run for days, not for their first second. n8n's run of the items row takes long. */
const warmUps = (key: keyof Times): number => (key === 'items' ? 2 : 100);
/** Executions of one run of a row, of which the median counts: one alone says more of what else the machine did in those milliseconds. */
const executionsPerRun = (key: keyof Times): number => (key === 'items' ? 1 : 20);

/** Milliseconds of one run, by the name of the row. */
type Times = Record<keyof typeof ROWS, number>;

const ROWS = {
  committed: { name: `${STEPS} light effectful nodes, each committed`, atMost: 100 },
  committedHttp: { name: `${STEPS} HTTP requests, each committed`, atMost: undefined },
  chain: { name: `${STEPS} light effectful nodes, no commits`, atMost: 10 },
  http: { name: `${STEPS} HTTP requests, no commits`, atMost: undefined },
  loop: { name: `loop of 3 nodes, ${ITERATIONS} times`, atMost: 150 },
  items: { name: `${ITEMS} items through set → if → code`, atMost: 250 },
} as const;
const ROW_KEYS = ['committed', 'committedHttp', 'chain', 'http', 'loop', 'items'] as const satisfies readonly (keyof typeof ROWS)[];

/**
 * Each row in Millrace and in n8n, one after the other on this machine. A light effectful node is n8n's Crypto node that makes a random UUID: both have
 * it, it does next to nothing, and Millrace must commit it, since no replay may make another. Committed: both answer a webhook with PostgreSQL behind
 * them (fsync on), Millrace with a commit before every next effect, n8n with "save execution progress"; the caller's clock. The other rows are the
 * engine alone: Millrace in this process as `millrace run`, whole executions by the wall clock; n8n by its own clock, without HTTP and saving, and of the
 * items row only the three nodes.
 */
export const engine: Benchmark = {
  name: 'engine',
  about: 'one execution at a time beside n8n: chain of effectful nodes with and without commits, loop, many items, expressions',
  async run(options) {
    await using stack = new AsyncDisposableStack();
    const postgres = stack.adopt(await startPostgres(), (server) => server.stop());
    const { url } = stack.use(await startEchoServer());
    const n8n = await timesOfN8n(postgres, url, options);
    const committed = await committedTimes(postgres, url, options);
    // Last: the sandbox hardens this process.
    const local = await localTimes(url, options);
    const [inSandbox] = await expressions.run(options);
    return [
      ...ROW_KEYS.flatMap((key) => rowFigures(key, median([...committed.times[key], ...local.times[key]]), median(n8n.times[key]))),
      { ...figureOf('expressions/s, {{ $json.a.b }} in the sandbox', inSandbox?.value ?? Number.NaN, n8n.expressions, 2_000_000) },
      ratio('expressions/s', (inSandbox?.value ?? Number.NaN) / n8n.expressions),
      figureOf('expressions/s, by what a set node takes longer with them', local.expressions, n8n.expressions),
    ];
  },
};

interface Measured {
  times: Record<keyof Times, number[]>;
  expressions: number;
}

const noTimes = (): Measured['times'] => ({ committed: [], committedHttp: [], chain: [], http: [], loop: [], items: [] });

function rowFigures(key: keyof Times, ours: number, n8n: number): Figure[] {
  const { name, atMost } = ROWS[key];
  return [{ name, value: ours, unit: 'ms', ...(atMost !== undefined && { target: { atMost } }), beside: { name: 'n8n', value: n8n } }, ratio(name, n8n / ours, atMost !== undefined)];
}

function ratio(name: string, value: number, hasTarget = true): Figure {
  return { name: `  times n8n: ${name}`, value, unit: 'x', ...(hasTarget && { target: { atLeast: TIMES_N8N } }) };
}

function figureOf(name: string, value: number, n8n: number, atLeast?: number): Figure {
  return { name, value, unit: '/s', ...(atLeast !== undefined && { target: { atLeast } }), beside: { name: 'n8n', value: n8n } };
}

/** One figure per run. */
async function medians(key: keyof Times, runs: number, execution: () => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const times: number[] = [];
    for (let index = 0; index < executionsPerRun(key); index += 1) times.push(await execution());
    all.push(median(times));
  }
  return all;
}

/** How long a caller of a webhook waits. Rejects when the workflow fails. */
async function call(url: string): Promise<number> {
  const start = performance.now();
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"id":"A-1"}' });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return performance.now() - start;
}

async function timesOfN8n(postgres: Postgres, url: string, { runs, progress }: BenchmarkOptions): Promise<Measured> {
  await using n8n = await startN8n({ databaseUrl: await postgres.database(), progress });
  const times = noTimes();
  const workflows: Record<keyof Times, N8nWorkflow> = {
    committed: savingProgress(lightChain(STEPS, 'saved-chain')), committedHttp: savingProgress(httpChain(STEPS, url, 'saved-http')),
    chain: lightChain(STEPS), http: httpChain(STEPS, url), loop: loop(ITERATIONS), items: items(ITEMS),
  };
  for (const key of ROW_KEYS) {
    const waits = key === 'committed' || key === 'committedHttp';
    const published = await n8n.publish(workflows[key]);
    for (let run = 0; run < warmUps(key); run += 1) await call(published.url);
    times[key] = await medians(key, runs, async () => {
      const wall = await call(published.url);
      if (waits) return wall;
      const { durationMs, nodeMs } = await n8n.lastExecution(published.id);
      return key === 'items' ? ITEM_NODES.reduce((sum, node) => sum + (nodeMs[node] ?? 0), 0) : durationMs;
    });
    progress(`n8n: ${ROWS[key].name}: ${median(times[key]).toFixed(0)} ms`);
  }
  const setMs = async (value: string): Promise<number> => {
    const published = await n8n.publish(tenFields(EXPRESSION_ITEMS, value));
    const all: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      await call(published.url);
      all.push((await n8n.lastExecution(published.id)).nodeMs['Set'] ?? Number.NaN);
    }
    return median(all);
  };
  return { times, expressions: expressionsPerSecond(await setMs(COMPUTED), await setMs('fixed')) };
}

function expressionsPerSecond(computedMs: number, fixedMs: number): number {
  return (EXPRESSION_ITEMS * FIELDS * 1000) / Math.max(1, computedMs - fixedMs);
}

async function committedTimes(postgres: Postgres, url: string, { runs, progress }: BenchmarkOptions): Promise<{ times: Measured['times'] }> {
  await using system = await startSystem({ postgres, executors: 1 });
  const times = noTimes();
  for (const [key, workflow] of [['committed', lightChain(STEPS)], ['committedHttp', httpChain(STEPS, url)]] as const) {
    const hook = await system.publish(imported(workflow));
    for (let run = 0; run < warmUps(key); run += 1) await call(hook);
    times[key] = await medians(key, runs, async () => call(hook));
    progress(`${ROWS[key].name}: ${median(times[key]).toFixed(1)} ms`);
  }
  return { times };
}

async function localTimes(url: string, { runs, progress }: BenchmarkOptions): Promise<Measured> {
  const host = createLocalHost({ sandbox: createSandbox() });
  const times = noTimes();

  /** The whole execution, and the nodes of it. */
  async function run(from: N8nWorkflow): Promise<{ wallMs: number; nodeMs(node: string): number }> {
    const start = performance.now();
    const result = await execute({
      executionId: randomUUID(), workflow: imported(from), mode: ExecutionMode.Webhook, start: { node: 'Webhook', items: [{ json: { body: { id: 'A-1' } } }] },
    }, host, nodeTypes);
    const wallMs = performance.now() - start;
    if (result.status !== ExecutionStatus.Succeeded) throw new Error(`${from.name} ended as ${result.status}: ${JSON.stringify(result.error)}`);
    return { wallMs, nodeMs: (node) => result.runs.filter((each) => each.node === node).reduce((sum, { durationMs }) => sum + durationMs, 0) };
  }
  const workflows = { chain: lightChain(STEPS), http: httpChain(STEPS, url), loop: loop(ITERATIONS), items: items(ITEMS) };
  for (const key of ['chain', 'http', 'loop', 'items'] as const) {
    for (let index = 0; index < warmUps(key); index += 1) await run(workflows[key]);
    times[key] = await medians(key, runs, async () => (await run(workflows[key])).wallMs);
    progress(`${ROWS[key].name}: ${median(times[key]).toFixed(1)} ms`);
  }
  const setMs = async (value: string): Promise<number> => {
    const all: number[] = [];
    for (let index = 0; index < runs; index += 1) all.push((await run(tenFields(EXPRESSION_ITEMS, value))).nodeMs('Set'));
    return median(all);
  };
  return { times, expressions: expressionsPerSecond(await setMs(COMPUTED), await setMs('fixed')) };
}
