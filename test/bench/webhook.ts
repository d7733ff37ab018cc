import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { median, percentile } from './benchmark.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { cpuTime } from './cpu-time.ts';
import { openLoop } from './open-loop.ts';
import type { OpenLoopResult } from './open-loop.ts';
import { startSystem } from './system.ts';

const rate = 50;
const seconds = 20;
const warmUp = 250;

const workflow: WorkflowDefinition = {
  id: 'bench/intake',
  name: 'intake',
  nodes: [
    { name: 'Order', type: 'webhook', typeVersion: 2, position: [0, 0], parameters: { httpMethod: 'POST', path: 'intake', responseMode: 'lastNode' } },
    { name: 'Total', type: 'set', typeVersion: 3.4, position: [220, 0], parameters: { assignments: { assignments: [{ id: 'a', name: 'total', type: 'number', value: '={{ $json.body.price * $json.body.count }}' }] } } },
  ],
  connections: [{ from: 'Order', output: 0, to: 'Total', input: 0, type: 'main' }],
};

/** A webhook that computes a field and answers with it: one PostgreSQL, one api and one runner with two executors, all on this machine. */
export const webhook: Benchmark = {
  name: 'webhook',
  about: `webhook → set → answer, ${rate} requests/s at fixed times for ${seconds} s, durable before it is executed`,
  async run({ runs, progress }) {
    const results: OpenLoopResult[] = [];
    const costs: Cost[] = [];
    await withSystem(progress, async ({ url, cost }) => {
      const load = async (count: number): Promise<OpenLoopResult> => openLoop({
        url, rate, count, body: (index) => ({ price: index, count: 2 }),
        accept: ({ status, text }, index) => status === 200 && text === JSON.stringify({ total: index * 2 }),
      });
      await load(warmUp);
      for (let index = 1; index <= runs; index += 1) {
        const before = await cost();
        const result = await load(rate * seconds);
        const after = await cost();
        costs.push({ api: after.api - before.api, runner: after.runner - before.runner, postgres: after.postgres - before.postgres });
        results.push(result);
        progress(`run ${index}: p50 ${percentile(result.latencies, 0.5).toFixed(1)} ms, p99 ${percentile(result.latencies, 0.99).toFixed(1)} ms, ${result.errors} errors`);
      }
    });
    return figures(results, costs);
  },
};

/** CPU milliseconds. */
interface Cost {
  api: number;
  runner: number;
  postgres: number;
}

function figures(results: readonly OpenLoopResult[], costs: readonly Cost[]): Figure[] {
  const perRequest = (part: keyof Cost): number => median(costs.map((cost) => cost[part] / (rate * seconds)));
  const at = (share: number): number => median(results.map(({ latencies }) => percentile(latencies, share)));
  return [
    { name: 'p50', value: at(0.5), unit: 'ms', target: { atMost: 25 } },
    { name: 'p95', value: at(0.95), unit: 'ms' },
    { name: 'p99', value: at(0.99), unit: 'ms', target: { atMost: 100 } },
    { name: 'slowest', value: at(1), unit: 'ms' },
    { name: 'CPU per request, api', value: perRequest('api'), unit: 'ms' },
    { name: 'CPU per request, runner', value: perRequest('runner'), unit: 'ms' },
    { name: 'CPU per request, PostgreSQL', value: perRequest('postgres'), unit: 'ms' },
    { name: 'requests', value: results.reduce((sum, { latencies }) => sum + latencies.length, 0), unit: 'count' },
    { name: 'wrong or missing answers', value: results.reduce((sum, { errors }) => sum + errors, 0), unit: 'count', target: { atMost: 0 } },
  ];
}

/** Runs `use` with the URL of the webhook and what the system has cost so far; everything is stopped and removed afterwards, also when it throws. */
async function withSystem(progress: (text: string) => void, use: (system: { url: string; cost(): Promise<Cost> }) => Promise<void>): Promise<void> {
  progress('starting PostgreSQL, api and runner');
  await using stack = new AsyncDisposableStack();
  const postgres = stack.adopt(await startPostgres(), (server) => server.stop());
  const { api, runner, publish } = stack.use(await startSystem({ postgres, executors: 2 }));
  await use({
    url: await publish(workflow),
    cost: async () => ({ api: await cpuTime(api.pid), runner: await cpuTime(runner.pid), postgres: await cpuTime(postgres.pid) }),
  });
}
