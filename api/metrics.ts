import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Everything the api measures, in one registry that /metrics shows. */
export interface Metrics {
  registry: Registry;
  /** method, route (the pattern, never the raw path: that would be unbounded), status. */
  requests: Counter<'method' | 'route' | 'status'>;
  /** Seconds from the request to the end of the answer, by route. */
  duration: Histogram<'route'>;
  inFlight: Gauge<'kind'>;
  /** Executions accepted in one round trip. */
  batchSize: Histogram;
  /** Seconds from a whole request to its commit. */
  accept: Histogram;
  refused: Counter<'code'>;
}

const secondBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 100];

export function createMetrics(registry: Registry = new Registry()): Metrics {
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requests: new Counter({ name: 'millrace_api_requests_total', help: 'HTTP requests answered.', labelNames: ['method', 'route', 'status'], registers }),
    duration: new Histogram({ name: 'millrace_api_request_duration_seconds', help: 'Time from request to the end of the answer.', labelNames: ['route'], buckets: secondBuckets, registers }),
    inFlight: new Gauge({ name: 'millrace_api_in_flight', help: 'Requests between arrival and answer.', labelNames: ['kind'], registers }),
    batchSize: new Histogram({ name: 'millrace_api_accept_batch_size', help: 'Executions accepted in one round trip to PostgreSQL.', buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256], registers }),
    accept: new Histogram({ name: 'millrace_api_accept_duration_seconds', help: 'Time from a whole webhook request to the commit of its execution.', buckets: secondBuckets, registers }),
    refused: new Counter({ name: 'millrace_api_refused_total', help: 'Requests refused, by error code.', labelNames: ['code'], registers }),
  };
}
