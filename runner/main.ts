/** Entry of a runner pod: one supervisor and its executors. */
import process from 'node:process';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { objectStorageOf } from '../store/objects/settings.ts';
import { openStore } from '../store/store.ts';
import { clusterCredentials } from './cluster-credentials.ts';
import { runnerConfig } from './config.ts';
import { healthServer } from '../service/health-server.ts';
import { createLog } from '../service/log.ts';
import { withObjectStorage } from '../service/object-storage-health.ts';
import { storeMetrics } from '../service/store-metrics.ts';
import { startTracing } from '../service/tracing.ts';
import packageJson from '../package.json' with { type: 'json' };
import { ExecutionTraces } from './supervisor/execution-traces.ts';
import { runnerMetrics } from './supervisor/metrics.ts';
import { Supervisor } from './supervisor/supervisor.ts';

/** How long a new pod waits for the database and its migrations. */
const STORE_WAIT_MS = 120_000;

const log = createLog({ role: 'runner', level: process.env['MILLRACE_LOG_LEVEL'] ?? 'info', pod: process.env['POD_NAME'] });
const config = runnerConfig(process.env);
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const database = storeMetrics(registry);
const store = await openStore({ url: config.databaseUrl, applicationName: 'millrace-runner', log, waitMs: STORE_WAIT_MS, observer: database.observer, objectStorage: objectStorageOf(process.env) });
database.connections(() => store.connections());
const tracing = await startTracing({ service: 'millrace-runner', version: packageJson.version, env: process.env });
const traces = tracing && new ExecutionTraces(tracing, { pool: config.pool, runner: config.runner, now: () => store.now() });
const metrics = runnerMetrics(registry, { pool: config.pool, workflows: config.metricsWorkflows });
const credentials = clusterCredentials(log, (result) => metrics.credentialRead(result));
const supervisor = new Supervisor(store, config, { traces, log, metrics, credentials: credentials.read, onDone: () => void stop('done') });
const health = await healthServer(config.port, registry, () => withObjectStorage(supervisor.health(), store));
await supervisor.start();

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log.info({ signal }, 'Stopping');
  await supervisor.stop();
  await Promise.all([tracing?.close(), credentials.close()]);
  await store.close();
  health.close();
}
process.on('SIGTERM', (signal) => void stop(signal));
process.on('SIGINT', (signal) => void stop(signal));
