import { performance } from 'node:perf_hooks';
import type { Cluster } from '../../operator/kube/cluster.ts';
import type { Log } from '../../operator/kube/log.ts';
import type { Store } from '../../store/store.ts';
import { kubernetesAuth } from '../auth/kubernetes-auth.ts';
import { answerError } from '../error-response.ts';
import { listen } from '../http-server.ts';
import type { ListeningServer } from '../http-server.ts';
import type { Metrics } from '../metrics.ts';
import { assignRequestId } from '../request-id.ts';
import { inFlightLimit } from '../webhook/in-flight.ts';
import type { ByteBudget } from '../webhook/read-body.ts';
import { artifactExchange } from './exchange.ts';

export interface ArtifactServerOptions {
  /** 0: any. */
  port: number;
  /** Of the tokens of pods. */
  audience: string;
  /** Of a file that a pod gives. */
  maxBytes: number;
  store: Pick<Store, 'podSteps' | 'binaries'>;
  cluster: Pick<Cluster, 'request'>;
  /** Of what requests hold in memory. */
  budget: ByteBudget;
  now: () => number;
  metrics: Metrics;
  log: Log;
}

/** Files on their way at once; pods ask again when there are more. */
const MAX_TRANSFERS = 64;
/** A large file over a slow network takes its time. */
const REQUEST_MS = 600_000;

/** A port for pods of container nodes alone: no ingress leads to it, and its requests may take longer than those of strangers. */
export async function artifactServer({ port, audience, maxBytes, store, cluster, budget, now, metrics, log }: ArtifactServerOptions): Promise<ListeningServer> {
  const exchange = artifactExchange({ auth: kubernetesAuth(cluster, { audiences: [audience], now }), steps: store.podSteps, binaries: store.binaries, budget, maxBytes });
  const handle = inFlightLimit(MAX_TRANSFERS, metrics, 'artifact')(exchange);
  return listen((request, response) => {
    const startedAt = performance.now();
    const route = 'artifacts';
    assignRequestId(request, response);
    response.once('close', () => {
      metrics.requests.inc({ method: request.method ?? '', route, status: response.statusCode });
      metrics.duration.observe({ route }, (performance.now() - startedAt) / 1000);
    });
    handle(request, response).catch((error: unknown) => answerError(error, response, { log, metrics }));
  }, { port, requestMs: REQUEST_MS });
}
