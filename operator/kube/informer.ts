import { Cache } from './cache.ts';
import { Reflector } from './reflector.ts';
import { resourceName } from './resource.ts';
import type { IndexBy } from './cache-index.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { Log } from './log.ts';
import type { KubeMetrics } from './metrics.ts';
import type { AnyObject } from './object.ts';
import type { Scope } from './reflector.ts';
import type { Resource } from './resource.ts';

export interface InformerOptions<T extends AnyObject> extends Scope {
  indexes?: Record<string, IndexBy<T>>;
  /** Drops what nobody needs before an object is kept; may change its argument. */
  transform?: (object: T) => T;
}

export interface InformerRuntime {
  cluster: Cluster;
  clock: Clock;
  log: Log;
  metrics?: KubeMetrics;
  /** Freezes cached objects; for tests. */
  freeze?: boolean;
  pageSize?: number;
  idleMs?: number;
}

/** A cache and what keeps it current. Managers run those of their own cluster; run one yourself for a cluster that comes and goes. */
export class Informer<T extends AnyObject> {
  readonly cache: Cache<T>;
  readonly resource: Resource<T>;
  readonly options: InformerOptions<T>;
  readonly #reflector: Reflector<T>;

  constructor(resource: Resource<T>, options: InformerOptions<T>, runtime: InformerRuntime) {
    const { cluster, clock, log, metrics, freeze, pageSize, idleMs } = runtime;
    const name = resourceName(resource);
    this.resource = resource;
    this.options = options;
    this.cache = new Cache({
      resource,
      transform: options.metadataOnly ? metadataOf : options.transform,
      namespace: options.namespace,
      selective: options.labelSelector !== undefined || options.fieldSelector !== undefined,
      freeze,
      onError: (err, key) => {
        metrics?.cacheFailed(name);
        log.error({ err, resource: name, key }, 'Failed to handle a change');
      },
    });
    for (const [index, by] of Object.entries(options.indexes ?? {})) this.cache.addIndex(index, by);
    this.#reflector = new Reflector({
      cluster,
      resource,
      scope: options,
      target: this.cache,
      clock,
      log,
      ...(metrics ? { observer: metrics.reflector(name) } : {}),
      ...(pageSize === undefined ? {} : { pageSize }),
      ...(idleMs === undefined ? {} : { idleMs }),
    });
    metrics?.cache(name, () => ({ objects: this.cache.size, silenceMs: this.silenceMs }));
  }

  /** Milliseconds since the API server last said something about these objects. */
  get silenceMs(): number {
    return this.#reflector.silenceMs;
  }

  /** Keeps the cache current until the signal aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void> {
    return this.#reflector.run(signal);
  }
}

/** The same of what a watch of metadata sends and of whole objects that our own writes return. */
function metadataOf<T extends AnyObject>({ apiVersion, kind, metadata }: T): T {
  return { apiVersion, kind, metadata } as T;
}
