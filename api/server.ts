import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../operator/kube/cluster.ts';
import type { Log } from '../operator/kube/log.ts';
import type { Clock } from '../operator/kube/clock.ts';
import { executionIds } from '../store/execution-id.ts';
import type { Store } from '../store/store.ts';
import { healthServer, type Health } from '../service/health-server.ts';
import { withObjectStorage } from '../service/object-storage-health.ts';
import { credentialReader } from '../service/secret-credentials.ts';
import type { Tracing } from '../service/tracing.ts';
import { publicListener } from './app.ts';
import { artifactServer } from './artifacts/server.ts';
import { kubernetesAuth } from './auth/kubernetes-auth.ts';
import { callerCredentials } from './caller/credentials.ts';
import type { Config, Limits } from './config.ts';
import { formIngress, formPrefix, formTestIngress, formTestPrefix } from './form/form-ingress.ts';
import type { FormOptions } from './form/form-ingress.ts';
import { formWaiting, formWaitingPrefix } from './form/form-waiting.ts';
import { listen } from './http-server.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { RequestTraces } from './request-traces.ts';
import { RateLimit } from './rest/rate-limit.ts';
import { deadLetterEndpoints } from './rest/dead-letters.ts';
import { executionEndpoints } from './rest/executions.ts';
import { poolEndpoints } from './rest/pools.ts';
import { listenEndpoints } from './rest/listen.ts';
import { objectEndpoints } from './rest/objects.ts';
import { watchingEndpoints } from './rest/watching.ts';
import { scheduleEndpoints } from './rest/schedules.ts';
import { workflowEndpoints } from './rest/workflows.ts';
import { accepting } from './webhook/accept.ts';
import { inFlightLimit } from './webhook/in-flight.ts';
import { webhookIngress, webhookPrefix } from './webhook/ingress.ts';
import { ByteBudget } from './webhook/read-body.ts';
import { Watcher } from './watching/watcher.ts';
import type { CallOptions } from './webhook/take-call.ts';
import { testIngress, testPrefix } from './webhook/test-ingress.ts';
import { waitingIngress, waitingPrefix } from './webhook/waiting-ingress.ts';
import { routeFinder } from './webhook/route-finder.ts';

export interface ServerParts {
  config: Pick<Config, 'baseUrl' | 'port' | 'healthPort' | 'audiences' | 'limits' | 'proxyHops' | 'drainMs' | 'artifacts'>;
  store: Store;
  /** Where tokens are checked. */
  cluster: Pick<Cluster, 'request'>;
  log: Log;
  /** Default: in a registry of their own. */
  metrics?: Metrics;
  tracing?: Tracing | undefined;
  clock: Pick<Clock, 'now' | 'monotonic'>;
  version: string;
}

export interface ApiServer {
  /** Ports that are listened on; they differ from the configured ones where those are 0. */
  port: number;
  healthPort: number;
  /** Where pods get files, if anywhere. */
  artifactsPort?: number;
  /** Not ready at once, takes nothing new, lets requests under way finish. Leaves store and cluster open. */
  stop(): Promise<void>;
}

/** Puts the api together and listens. Resolves once all routes are known and both ports are open. */
export async function startServer({ config, store, cluster, log, clock, version, metrics = createMetrics(), tracing }: ServerParts): Promise<ApiServer> {
  const { limits, baseUrl } = config;
  const stopping = new AbortController();
  const budget = new ByteBudget(limits.bodyBytesInFlight);
  const traces = tracing && new RequestTraces(tracing, () => store.now());
  const untraced = accepting(store.queue, { onBatch: (size) => metrics.batchSize.observe(size) });
  const accept = traces?.accept(untraced) ?? untraced;
  const monotonic = (): number => clock.monotonic();
  const routes = await routeFinder(store.routes, monotonic);
  const calls: CallOptions & { limits: Limits } = {
    replies: store.replies, budget, limits,
    files: { newExecutionId: executionIds(() => store.now()), write: (file, bytes) => store.binaries.write(file, bytes), writeBytes: store.binaries.writeBytes },
    checks: { credentials: callerCredentials(credentialReader({ cluster, log, monotonic })), proxyHops: config.proxyHops, now: () => clock.now() },
  };
  const forms: FormOptions = { find: (...path) => routes.findForm(...path), accept, listeners: store.listeners, resumeTokens: store.resumeTokens, ...calls };
  const limit = inFlightLimit(limits.webhooksInFlight, metrics);
  const watcher = new Watcher({ store, monotonic, sleep: (ms) => sleep(ms) });
  const listener = publicListener({
    endpoints: [...executionEndpoints({ store, accept }), ...workflowEndpoints({ store, accept }), ...scheduleEndpoints({ store }), ...poolEndpoints({ store }), ...watchingEndpoints(watcher), ...deadLetterEndpoints(store), ...objectEndpoints(cluster), ...listenEndpoints({ store, baseUrl })],
    rest: {
      auth: kubernetesAuth(cluster, { audiences: config.audiences, now: () => clock.now() }),
      maxBodyBytes: limits.bodyBytes,
      budget,
      userLimit: new RateLimit({ perSecond: limits.userRequestsPerSecond, burst: limits.userRequestsPerSecond * 2, monotonic }),
      stopping: stopping.signal,
    },
    prefixes: [
      { prefix: webhookPrefix, route: `${webhookPrefix}{namespace}/{path}`, handle: limit(webhookIngress({ find: (...path) => routes.find(...path), accept, metrics, baseUrl, ...calls })) },
      { prefix: testPrefix, route: `${testPrefix}{namespace}/{path}`, handle: limit(testIngress({ listeners: store.listeners, accept, baseUrl, ...calls })) },
      { prefix: formPrefix, route: `${formPrefix}{namespace}/{path}`, handle: limit(formIngress(forms)) },
      { prefix: formTestPrefix, route: `${formTestPrefix}{namespace}/{path}`, handle: limit(formTestIngress(forms)) },
      { prefix: formWaitingPrefix, route: `${formWaitingPrefix}{id}`, handle: limit(formWaiting({ store, ...calls })) },
      { prefix: waitingPrefix, route: `${waitingPrefix}{id}`, handle: limit(waitingIngress({ store, baseUrl, ...calls })) },
    ],
    version, baseUrl, metrics, log,
  });
  const api = await listen(traces?.listener(listener) ?? listener, { port: config.port, requestMs: limits.requestMs });
  const artifacts = config.artifacts && await artifactServer({ ...config.artifacts, store, cluster, budget, now: () => clock.now(), metrics, log });
  const health = await healthServer(config.healthPort, metrics.registry, async () => healthOf(stopping.signal, store));
  const { port: healthPort } = health.address() as AddressInfo;
  log.info({ port: api.port, healthPort, workflows: routes.size() }, 'Listening');

  return {
    port: api.port,
    healthPort,
    ...(artifacts && { artifactsPort: artifacts.port }),
    async stop() {
      stopping.abort();
      await Promise.all([api.close(config.drainMs), artifacts?.close(config.drainMs)]);
      health.close();
      health.closeAllConnections();
      await routes.stop();
      log.info({}, 'Stopped');
    },
  };
}

async function healthOf(stopping: AbortSignal, store: Store): Promise<Health> {
  const { ok, code } = await store.health();
  const problems = [...(stopping.aborted ? ['stopping'] : []), ...(ok ? [] : [`database: ${code ?? 'unknown'}`])];
  return withObjectStorage({ live: true, ready: problems.length === 0, problems }, store);
}
