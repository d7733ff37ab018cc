import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Exchange } from './cluster.ts';
import type { ControllerObserver } from './controller.ts';
import type { ReflectorObserver } from './reflector.ts';

interface CacheState {
  objects: number;
  silenceMs: number;
}

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

/** What operators of a controller look at, under the names that dashboards for controllers know. Durations are in seconds. */
export class KubeMetrics {
  readonly registry: Registry;
  readonly #requests;
  readonly #requestSeconds;
  readonly #depth;
  readonly #adds;
  readonly #retries;
  readonly #queueSeconds;
  readonly #passes;
  readonly #passSeconds;
  readonly #active;
  readonly #mappingFailures;
  readonly #lists;
  readonly #listSeconds;
  readonly #watches;
  readonly #watchEvents;
  readonly #reflectorFailures;
  readonly #cacheErrors;
  readonly #leading;
  readonly #droppedEvents;
  readonly #caches: { resource: string; read: () => CacheState }[] = [];

  /** @param prefix Put in front of every name, such as `mycontroller_`. */
  constructor(registry: Registry = new Registry(), prefix = '') {
    this.registry = registry;
    const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) => new Counter({ name: prefix + name, help, labelNames, registers: [registry] });
    const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) => new Gauge({ name: prefix + name, help, labelNames, registers: [registry] });
    const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
      new Histogram({ name: prefix + name, help, labelNames, buckets: SECONDS, registers: [registry] });

    this.#requests = counter('rest_client_requests_total', 'Requests to the API server by method and HTTP status; 0: no answer', 'method', 'code');
    this.#requestSeconds = histogram('rest_client_request_duration_seconds', 'Time until the API server began to answer', 'method');
    this.#depth = gauge('workqueue_depth', 'Keys waiting', 'name');
    this.#adds = counter('workqueue_adds_total', 'Keys added', 'name');
    this.#retries = counter('workqueue_retries_total', 'Keys added again after a failure', 'name');
    this.#queueSeconds = histogram('workqueue_queue_duration_seconds', 'Time from adding a key to working on it', 'name');
    this.#passes = counter('reconcile_total', 'Passes by how they ended', 'controller', 'result');
    this.#passSeconds = histogram('reconcile_duration_seconds', 'Time of a pass', 'controller');
    this.#active = gauge('reconcile_active_workers', 'Passes under way', 'controller');
    this.#mappingFailures = counter('reconcile_mapping_errors_total', 'Changes whose effect could not be found at once', 'controller');
    this.#lists = counter('reflector_lists_total', 'Complete lists', 'resource');
    this.#listSeconds = histogram('reflector_list_duration_seconds', 'Time of a complete list', 'resource');
    this.#watches = counter('reflector_watches_total', 'Watches opened', 'resource');
    this.#watchEvents = counter('reflector_watch_events_total', 'Events of watches by type', 'resource', 'type');
    this.#reflectorFailures = counter('reflector_errors_total', 'Lists and watches that broke, by reason', 'resource', 'reason');
    this.#cacheErrors = counter('cache_errors_total', 'Indexes and listeners that threw', 'resource');
    this.#leading = gauge('leader_election_master_status', 'Whether this replica leads', 'name');
    const caches = this.#caches;
    const cacheGauge = (name: string, help: string, value: (state: CacheState) => number): Gauge<'resource'> =>
      new Gauge({
        name: prefix + name,
        help,
        labelNames: ['resource'],
        registers: [registry],
        collect() {
          for (const { resource, read } of caches) this.set({ resource }, value(read()));
        },
      });
    cacheGauge('cache_objects', 'Objects in a cache', ({ objects }) => objects);
    cacheGauge('cache_silence_seconds', 'Time since the API server last said anything about the resource', ({ silenceMs }) => silenceMs / 1000);
    this.#droppedEvents = counter('events_dropped_total', 'Events not recorded because there were too many');
  }

  /** Shows the number of objects in a cache and the time since the API server last spoke about them. */
  cache(resource: string, read: () => CacheState): void {
    this.#caches.push({ resource, read });
  }

  request({ method, status, ms }: Exchange): void {
    this.#requests.inc({ method, code: String(status) });
    this.#requestSeconds.observe({ method }, ms / 1000);
  }

  controller(name: string): ControllerObserver {
    return {
      queue: {
        depth: (size) => this.#depth.set({ name }, size),
        added: () => this.#adds.inc({ name }),
        taken: (ms) => this.#queueSeconds.observe({ name }, ms / 1000),
        retried: () => this.#retries.inc({ name }),
      },
      passed: (result, ms) => {
        this.#passes.inc({ controller: name, result });
        this.#passSeconds.observe({ controller: name }, ms / 1000);
      },
      active: (count) => this.#active.set({ controller: name }, count),
      mappingFailed: () => this.#mappingFailures.inc({ controller: name }),
    };
  }

  reflector(resource: string): ReflectorObserver {
    return {
      listed: (_count, ms) => {
        this.#lists.inc({ resource });
        this.#listSeconds.observe({ resource }, ms / 1000);
      },
      watchStarted: () => this.#watches.inc({ resource }),
      event: (type) => this.#watchEvents.inc({ resource, type }),
      failed: (reason) => this.#reflectorFailures.inc({ resource, reason }),
    };
  }

  cacheFailed(resource: string): void {
    this.#cacheErrors.inc({ resource });
  }

  leads(name: string, leading: boolean): void {
    this.#leading.set({ name }, leading ? 1 : 0);
  }

  eventDropped(): void {
    this.#droppedEvents.inc();
  }
}
