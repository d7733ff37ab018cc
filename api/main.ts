import { hostname } from 'node:os';
import process from 'node:process';
import packageJson from '../package.json' with { type: 'json' };
import { connect } from '../operator/kube/connection.ts';
import { systemClock } from '../operator/kube/system-clock.ts';
import { objectStorageOf } from '../store/objects/settings.ts';
import { openStore } from '../store/store.ts';
import { readConfig } from './config.ts';
import { createMetrics } from './metrics.ts';
import { startScheduler } from '../service/schedules/scheduler.ts';
import { createLog } from '../service/log.ts';
import { storeMetrics } from '../service/store-metrics.ts';
import { tracedEnqueue } from '../service/traced-enqueue.ts';
import { startTracing } from '../service/tracing.ts';
import { startServer } from './server.ts';

/** The api role: `node api/main.ts`. docs/api.md lists its environment. */
async function main(): Promise<void> {
  const config = readConfig(process.env, hostname());
  const log = createLog({ role: 'api', level: config.logLevel, pod: config.replica });
  const cluster = await connect({ log, userAgent: 'millrace-api' });
  const metrics = createMetrics();
  const database = storeMetrics(metrics.registry);
  const store = await openStore({
    url: config.databaseUrl, applicationName: 'millrace-api', log, poolSize: config.databaseConnections, waitMs: 60_000, observer: database.observer, objectStorage: objectStorageOf(process.env),
  });
  database.connections(() => store.connections());
  const tracing = await startTracing({ service: 'millrace-api', version: packageJson.version, env: process.env });
  const server = await startServer({ config, store, cluster, log, metrics, tracing, clock: systemClock, version: packageJson.version });
  const queue = tracing ? { ...store.queue, enqueue: tracedEnqueue(store.queue.enqueue, tracing, () => store.now()) } : store.queue;
  const stopScheduler = await startScheduler({ store: { ...store, queue }, log, registry: metrics.registry });

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'Stopping');
    Promise.all([server.stop(), stopScheduler()])
      .then(() => Promise.all([store.close(), cluster.close(), tracing?.close()]))
      .catch((error: unknown) => {
        log.error({ err: error }, 'Could not stop cleanly');
        process.exitCode = 1;
      });
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

main().catch((error: unknown) => {
  createLog({ role: 'api', level: 'info' }).error({ err: error }, 'Could not start');
  process.exit(1);
});
