import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { ExecutionMode } from '../../runner/engine/node-run.ts';
import { startPostgres } from '../postgres/postgres.ts';
import { median, type Benchmark } from './benchmark.ts';
import { NAMESPACE, startSystem, type MillraceSystem } from './system.ts';
import { imported, oneStep } from './workflows.ts';

const EXECUTIONS = 5000;
const BATCH = 500;

/** Without n8n beside it: its main mode has no queue to drain, and its queue mode needs Redis. */
export const drain: Benchmark = {
  name: 'drain',
  about: `${EXECUTIONS} queued one-step executions, from a fresh runner's first claim to the last result in the history`,
  async run({ runs, progress }) {
    await using stack = new AsyncDisposableStack();
    const postgres = stack.adopt(await startPostgres(), (server) => server.stop());
    const system = stack.use(await startSystem({ postgres, executors: 1 }));
    await system.publish(imported(oneStep()));
    const seconds: number[] = [];
    for (let run = 0; run <= runs; run += 1) {
      const took = await drainOnce(system);
      progress(`${EXECUTIONS} executions in ${took.toFixed(2)} s`);
      // The first one warms up.
      if (run > 0) seconds.push(took);
    }
    return [
      { name: `${EXECUTIONS} one-step executions`, value: median(seconds), unit: 's' },
      { name: 'executions/s', value: EXECUTIONS / median(seconds), unit: '/s' },
    ];
  },
};

/** Queues while there is no runner, then lets a new one come. Seconds from its first claim to the last end, by the database's clock. */
async function drainOnce({ store, databaseUrl, stopRunner, startRunner }: MillraceSystem): Promise<number> {
  await stopRunner();
  const request = { namespace: NAMESPACE, workflow: 'one-step', mode: ExecutionMode.Webhook, trigger: { node: 'Webhook', items: [{ json: { body: { id: 'A-1' } } }] } };
  for (let queued = 0; queued < EXECUTIONS; queued += BATCH) await store.queue.enqueue(Array.from({ length: BATCH }, () => request));
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows: [before] } = await client.query<{ ended: number }>('SELECT count(*)::int AS ended FROM millrace.execution');
    await startRunner();
    for (;;) {
      const { rows: [now] } = await client.query<{ ended: number }>('SELECT count(*)::int AS ended FROM millrace.execution');
      if (now && before && now.ended - before.ended === EXECUTIONS) break;
      await delay(100);
    }
    const { rows: [took] } = await client.query<{ seconds: number; failed: number }>(`
      SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8 AS seconds, count(*) FILTER (WHERE status <> 'Succeeded')::int AS failed
      FROM (SELECT * FROM millrace.execution ORDER BY id DESC LIMIT ${EXECUTIONS}) last`);
    if (!took || took.failed > 0) throw new Error(`${took?.failed} executions failed`);
    return took.seconds;
  } finally {
    await client.end();
  }
}
