/** Entry of the admission webhooks. */
import { once } from 'node:events';
import process from 'node:process';
import { Registry, collectDefaultMetrics } from 'prom-client';
import { healthServer } from '../service/health-server.ts';
import { createLog } from '../service/log.ts';
import { connect } from '../operator/kube/index.ts';
import { nodeTypes } from '../runner/nodes/registry.ts';
import { createAdmission } from './admission.ts';
import { webhookConfig } from './config.ts';
import { admissionMetrics } from './metrics.ts';

/** A pod that ends is still sent requests until every API server has heard of it. */
const DRAIN_MS = 5000;

const config = webhookConfig(process.env);
const log = createLog({ role: 'webhooks', level: config.logLevel, pod: process.env['POD_NAME'] });
const registry = new Registry();
collectDefaultMetrics({ register: registry });

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGINT', () => stop.abort());

const cluster = await connect();
const admission = createAdmission({ ...config, cluster, nodeTypes, log, metrics: admissionMetrics(registry) });
const health = await healthServer(config.healthPort, registry, () => {
  const ready = admission.ready() && !stop.signal.aborted;
  return { live: true, ready, problems: ready ? [] : ['waits for the certificate and the cluster'] };
});
admission.server.listen(config.port);
await once(admission.server, 'listening');
log.info({ port: config.port }, 'Started');

const watching = new AbortController();
const running = admission.run(watching.signal);
if (!stop.signal.aborted) await once(stop.signal, 'abort');
await new Promise((resolve) => { setTimeout(resolve, DRAIN_MS); });
admission.server.close();
watching.abort();
await running;
await cluster.close();
health.close();
log.info({}, 'Stopped');
