import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Connections } from '../store/database.ts';
import type { StoreObserver } from '../store/observer.ts';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5];
const OBJECT_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];
const STATES: readonly (keyof Connections)[] = ['open', 'idle', 'waiting'];

export interface StoreMetrics {
  /** For `openStore`. */
  readonly observer: StoreObserver;
  /** Shows how the connections are used, once there are some. */
  connections(look: () => Connections): void;
}

/** What a role measures of its use of PostgreSQL. */
export function storeMetrics(registry: Registry): StoreMetrics {
  const registers = [registry];
  const seconds = new Histogram({
    name: 'millrace_store_statement_duration_seconds', help: 'Time of one statement on its connection, without the wait for a connection.', labelNames: ['statement'], buckets: SECONDS, registers,
  });
  const errors = new Counter({ name: 'millrace_store_statement_errors_total', help: 'Statements that failed, by error code. Most are tried again.', labelNames: ['code'], registers });
  const objects = new Histogram({
    name: 'millrace_store_object_duration_seconds', help: 'Time of one request to the object storage, tries included.', labelNames: ['operation'], buckets: OBJECT_SECONDS, registers,
  });
  const objectErrors = new Counter({ name: 'millrace_store_object_errors_total', help: 'Requests to the object storage that failed in the end, by error code.', labelNames: ['code'], registers });
  const enqueued = new Counter({ name: 'millrace_store_enqueued_total', help: 'Executions accepted into the queue, without duplicates.', labelNames: ['pool'], registers });
  let look: () => Connections = () => ({ open: 0, idle: 0, waiting: 0 });
  registry.registerMetric(new Gauge({
    name: 'millrace_store_connections', help: 'Connections to PostgreSQL that are open and, of these, idle; and calls waiting for one.', labelNames: ['state'], registers: [],
    collect() {
      const now = look();
      for (const state of STATES) this.set({ state }, now[state]);
    },
  }));
  return {
    observer: {
      statement(name, ms, failure) {
        seconds.observe({ statement: name }, ms / 1000);
        if (failure !== undefined) errors.inc({ code: failure });
      },
      object(operation, ms, failure) {
        objects.observe({ operation }, ms / 1000);
        if (failure !== undefined) objectErrors.inc({ code: failure });
      },
      enqueued: (pool, count) => enqueued.inc({ pool }, count),
    },
    connections(connections) {
      look = connections;
    },
  };
}
