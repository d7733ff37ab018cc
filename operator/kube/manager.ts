import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Lease } from './builtin.ts';
import { client } from './client.ts';
import { Controller } from './controller.ts';
import { sleep } from './clock.ts';
import { LeadershipLostError } from './errors.ts';
import { EventRecorder } from './events.ts';
import { Informer } from './informer.ts';
import { LeaderElector } from './leader-election.ts';
import { KubeMetrics } from './metrics.ts';
import { electsLeader, mergeRules, recordsEvents } from './rbac.ts';
import { resourceName } from './resource.ts';
import { systemClock } from './system-clock.ts';
import type { Registry } from 'prom-client';
import type { Cache } from './cache.ts';
import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { ControllerOptions } from './controller.ts';
import type { InformerOptions } from './informer.ts';
import type { Log } from './log.ts';
import type { AnyObject } from './object.ts';
import type { PolicyRule } from './rbac.ts';
import type { Scope } from './reflector.ts';
import type { Resource } from './resource.ts';

export interface LeaderElectionSettings {
  namespace: string;
  name: string;
  /** Default: host name and a random part. */
  identity?: string;
  leaseMs?: number;
  renewMs?: number;
  retryMs?: number;
}

export interface ManagerOptions {
  cluster: Cluster;
  log: Log;
  /** Name under which the API server records what we own; also in events. */
  fieldManager: string;
  /** Without it this process works at once, and must be the only one. */
  leaderElection?: LeaderElectionSettings;
  registry?: Registry;
  /** Put in front of the names of metrics. Default: nothing. */
  metricsPrefix?: string;
  clock?: Clock;
  /** How long passes under way may go on after the stop signal, in milliseconds. Default 10,000. */
  graceMs?: number;
  /** Freezes cached objects, so that code that changes one fails. For tests: it costs time. */
  freezeCache?: boolean;
  /** Objects per page of a list. Default 500. */
  pageSize?: number;
  /** See `Reflector`. */
  idleMs?: number;
}

export interface ManagerHealth {
  /** False: only a restart helps. */
  live: boolean;
  /** All caches have been filled. A replica that stands by is ready too. */
  ready: boolean;
  /** For people. */
  problems: string[];
}

/** A watch breaks now and then; only longer silence is worth telling. */
const SILENCE_WORTH_TELLING_MS = 180_000;

/** Owns caches, controllers, the lease and their common life. */
export class Manager {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly metrics: KubeMetrics;
  readonly #options: ManagerOptions;
  readonly #log: Log;
  readonly #identity: string;
  readonly #informers: Informer<AnyObject>[] = [];
  readonly #controllers: Controller[] = [];
  #elector: LeaderElector | undefined;
  /** Set while running. */
  #running: { informers: AbortSignal; started: Set<Promise<void>> } | undefined;

  constructor(options: ManagerOptions) {
    this.#options = options;
    this.cluster = options.cluster;
    this.clock = options.clock ?? systemClock;
    this.#log = options.log;
    this.metrics = new KubeMetrics(options.registry, options.metricsPrefix);
    this.#identity = options.leaderElection?.identity ?? `${hostname()}_${randomUUID()}`;
    this.cluster.observers.add((exchange) => this.metrics.request(exchange));
    this.events = new EventRecorder({
      cluster: this.cluster,
      reportingController: options.fieldManager,
      reportingInstance: this.#identity,
      clock: this.clock,
      log: this.#log,
      onDropped: () => this.metrics.eventDropped(),
      mayWrite: () => this.#mayWork(),
    });
  }

  /**
   * The cache of a kind; one per scope, however often it is asked for. Indexes of several callers add up. Asked for while
   * running it starts at once; wait for `whenSynced` then.
   */
  cache<T extends AnyObject>(resource: Resource<T>, options: InformerOptions<T> = {}): Cache<T> {
    const known = this.#informers.find((informer) => scopeOf(informer.resource, informer.options) === scopeOf(resource, options)) as unknown as Informer<T> | undefined;
    if (known) {
      if (options.transform && options.transform !== known.options.transform) throw new Error(`the cache of ${resource.kind} already exists with another transform`);
      for (const [name, by] of Object.entries(options.indexes ?? {})) known.cache.addIndex(name, by);
      return known.cache;
    }
    const { log, freezeCache: freeze = false, pageSize = 500, idleMs = 90_000 } = this.#options;
    const informer = new Informer(resource, options, { cluster: this.cluster, clock: this.clock, log, metrics: this.metrics, freeze, pageSize, idleMs });
    this.#informers.push(informer as unknown as Informer<AnyObject>);
    this.#running?.started.add(informer.run(this.#running.informers));
    return informer.cache;
  }

  /** A client whose writes show in our caches at once, and which refuses to write when we may not lead any more. */
  client<T extends AnyObject>(resource: Resource<T>, options: { fieldManager?: string } = {}): Client<T> {
    return client(this.cluster, resource, {
      fieldManager: options.fieldManager ?? this.#options.fieldManager,
      guard: () => {
        if (!this.#mayWork()) throw new LeadershipLostError('this replica does not lead');
      },
      observe: (object) => {
        for (const { cache, resource: of } of this.#informers) if (scopeOf(of, {}) === scopeOf(resource, {})) cache.offer(object);
      },
    });
  }

  /** Adds a controller; before `run`. */
  control(options: ControllerOptions): Controller {
    if (this.#controllers.some(({ name }) => name === options.name)) throw new Error(`two controllers are called ${options.name}`);
    const controller = new Controller(options, {
      clock: this.clock,
      log: this.#log,
      observer: this.metrics.controller(options.name),
      mayWork: () => this.#mayWork(),
    });
    this.#controllers.push(controller);
    return controller;
  }

  /** What all controllers together need to be allowed. */
  rbac(): PolicyRule[] {
    return mergeRules([...this.#controllers.flatMap(({ rbac }) => rbac), ...recordsEvents, ...(this.#options.leaderElection ? electsLeader : [])]);
  }

  /**
   * Fills the caches, waits for the lease, works. When the signal aborts it lets passes finish, hands the lease over and resolves.
   * Only once. Rejects with LeadershipLostError when the lease is lost: end the process then, with a non-zero code.
   */
  async run(signal: AbortSignal): Promise<void> {
    const informers = new AbortController();
    this.#running = { informers: informers.signal, started: new Set() };
    for (const informer of this.#informers) this.#running.started.add(informer.run(informers.signal));
    try {
      await untilAborted(signal, Promise.all(this.#informers.map(({ cache }) => cache.whenSynced())));
      if (signal.aborted) return;
      this.#log.info({ caches: this.#informers.length }, 'Filled the caches');
      await this.#lead(signal);
    } finally {
      await this.events.close();
      informers.abort();
      await Promise.all(this.#running.started);
      this.#running = undefined;
    }
  }

  health(): ManagerHealth {
    const stuck = this.#controllers.flatMap((controller) => controller.problems());
    const silent = this.#informers
      .filter(({ silenceMs }) => silenceMs > SILENCE_WORTH_TELLING_MS)
      .map(({ resource, silenceMs }) => `no word about ${resourceName(resource)} for ${Math.round(silenceMs / 1000)} s`);
    const empty = this.#informers.filter(({ cache }) => !cache.synced).map(({ resource }) => `the cache of ${resourceName(resource)} is not filled yet`);
    return { live: stuck.length === 0, ready: this.#running !== undefined && empty.length === 0, problems: [...stuck, ...silent, ...empty] };
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { leaderElection } = this.#options;
    if (!leaderElection) return await this.#work(signal, new AbortController());
    const { namespace, name, ...timing } = leaderElection;
    const { cluster, clock } = this;
    const leases = client(cluster, Lease, { fieldManager: this.#options.fieldManager });
    const elector = new LeaderElector({ ...timing, client: leases, key: `${namespace}/${name}`, identity: this.#identity, clock, log: this.#log });
    this.#elector = elector;
    this.metrics.leads(name, false);
    await elector.acquire(signal);
    if (!elector.leading) return;
    this.metrics.leads(name, true);
    const stopping = new AbortController();
    const renewing = new AbortController();
    const holding = elector.hold(renewing.signal).catch((err: unknown) => {
      this.#log.error({ err }, 'Lost the lease');
      this.metrics.leads(name, false);
      stopping.abort(err);
      throw err;
    });
    // Renewed until the last pass has ended, however long that takes: only then may another replica begin.
    const working = this.#work(signal, stopping).finally(() => renewing.abort());
    await Promise.all([holding, working]);
    this.metrics.leads(name, false);
    await this.events.close();
    await elector.release();
  }

  /** Runs the controllers until the signal aborts; then their passes may go on for the grace time, unless `stopping` aborts before. */
  async #work(signal: AbortSignal, stopping: AbortController): Promise<void> {
    const drain = new AbortController();
    const drained = new Promise<void>((resolve) => {
      drain.signal.addEventListener('abort', () => resolve());
    });
    const unlink = [signal, stopping.signal].map((source) => onAbort(source, () => drain.abort()));
    const working = Promise.all(this.#controllers.map((controller) => controller.run({ drain: drain.signal, stopping: stopping.signal })));
    await drained;
    const ended = new AbortController();
    const grace = sleep(this.clock, this.#options.graceMs ?? 10_000, ended.signal).then(() => stopping.abort(new DOMException('the process stops', 'AbortError')));
    await working;
    ended.abort();
    await grace;
    for (const stop of unlink) stop();
  }

  #mayWork(): boolean {
    return this.#options.leaderElection === undefined || this.#elector?.leading === true;
  }
}

/** What makes two requests for a cache the same. */
function scopeOf(resource: Resource, { namespace, labelSelector, fieldSelector, metadataOnly }: Scope): string {
  return [resourceName(resource), resource.version, namespace, labelSelector, fieldSelector, metadataOnly === true].join('|');
}

/** Resolves with the task, or as soon as the signal aborts. */
async function untilAborted(signal: AbortSignal, task: Promise<unknown>): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const unlink = onAbort(signal, aborted.resolve);
  await Promise.race([task, aborted.promise]);
  unlink();
}

/** Calls `then` when the signal aborts, or at once when it has. Returns how to forget about it. */
function onAbort(signal: AbortSignal, then: () => void): () => void {
  if (signal.aborted) then();
  else signal.addEventListener('abort', then, { once: true });
  return () => signal.removeEventListener('abort', then);
}
