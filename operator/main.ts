/** Entry of the operator. */
import process from 'node:process';
import { Registry, collectDefaultMetrics } from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };
import { nodeTypes } from '../runner/nodes/registry.ts';
import { objectStorageOf } from '../store/objects/settings.ts';
import { openStore } from '../store/store.ts';
import { operatorConfig } from './config.ts';
import { startScheduler } from '../service/schedules/scheduler.ts';
import { healthServer } from '../service/health-server.ts';
import { createLog } from '../service/log.ts';
import { withObjectStorage } from '../service/object-storage-health.ts';
import { storeMetrics } from '../service/store-metrics.ts';
import { tracedEnqueue } from '../service/traced-enqueue.ts';
import { startTracing } from '../service/tracing.ts';
import { connect } from './kube/index.ts';
import { createOperator } from './operator.ts';

/** How long a new pod waits for the database and its migrations. */
const STORE_WAIT_MS = 120_000;
/** The database's own housekeeping; several replicas may do it. */
const SWEEP_MS = 60_000;
const PRUNE_MS = 600_000;
/** Revisions of a workflow that are kept in the database beside those in use. */
const KEEP_REVISIONS = 50;

const config = operatorConfig(process.env);
const log = createLog({ role: 'operator', level: config.logLevel, pod: config.identity });
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGINT', () => stop.abort());

let health = () => ({ live: true, ready: false, problems: ['waits for the database, the object storage and the cluster'] });
const server = await healthServer(config.healthPort, registry, () => health());
const cluster = await connect();
const database = storeMetrics(registry);
const store = await openStore({ url: config.databaseUrl, applicationName: 'millrace-operator', log, waitMs: STORE_WAIT_MS, observer: database.observer, objectStorage: objectStorageOf(process.env) });
database.connections(() => store.connections());
const tracing = await startTracing({ service: 'millrace-operator', version: packageJson.version, env: process.env });
const queue = tracing ? { ...store.queue, enqueue: tracedEnqueue(store.queue.enqueue, tracing, () => store.now()) } : store.queue;
const operator = createOperator({ cluster, store: { ...store, queue }, nodeTypes, log, registry, config });
health = () => withObjectStorage(operator.health(), store);

const every = (ms: number, task: () => Promise<unknown>): NodeJS.Timeout => setInterval(() => {
  task().catch((err: unknown) => log.warn({ err }, 'Failed to tidy the database, trying again later'));
}, ms);
const stopScheduler = await startScheduler({ store: { ...store, queue }, log, registry });
const timers = [
  every(SWEEP_MS, () => store.sweep(config.retentionDays)),
  every(PRUNE_MS, () => store.revisions.prune({ keep: KEEP_REVISIONS })),
  every(PRUNE_MS, () => store.binaries.prune()),
  every(PRUNE_MS, () => store.pruneObjects(config.retentionDays)),
];

try {
  log.info({ namespace: config.home, namespaces: config.namespaces }, 'Started');
  await operator.run(stop.signal);
  log.info({}, 'Stopped');
} catch (err) {
  log.fatal({ err }, 'Ended');
  process.exitCode = 1;
} finally {
  for (const timer of timers) clearInterval(timer);
  await stopScheduler();
  await Promise.all([store.close(), tracing?.close()]);
  await cluster.close();
  server.close();
}
