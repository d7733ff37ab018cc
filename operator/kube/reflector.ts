import { Backoff } from './backoff.ts';
import { sleep } from './clock.ts';
import { KubeError, TransportReason, isExpired, malformed } from './errors.ts';
import { isRecord } from './json.ts';
import { jsonLines } from './json-lines.ts';
import { readList } from './list-pages.ts';
import { collectionPath, resourceName, typed } from './resource.ts';
import { statusError } from './status-error.ts';
import type { Clock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { AskForPage } from './list-pages.ts';
import type { Log } from './log.ts';
import type { AnyObject } from './object.ts';
import type { Resource } from './resource.ts';

/** What a reflector fills; a `Cache` is one. None of its methods throws. */
export interface ReflectorTarget<T> {
  trim(object: T): T;
  replace(items: T[], resourceVersion: string): void;
  upsert(object: T): void;
  remove(object: T): void;
  advance(resourceVersion: string | undefined): void;
}

/** Which objects. */
export interface Scope {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Only metadata, a fraction of the bytes: the objects have no spec, no data and no status. */
  metadataOnly?: boolean | undefined;
}

/** Told what the reflector does; for metrics. */
export interface ReflectorObserver {
  listed(count: number, ms: number): void;
  watchStarted(): void;
  event(type: string): void;
  failed(reason: string): void;
}

export interface ReflectorOptions<T extends AnyObject> {
  cluster: Cluster;
  resource: Resource<T>;
  scope?: Scope;
  target: ReflectorTarget<T>;
  clock: Clock;
  log: Log;
  observer?: ReflectorObserver;
  /** Objects per page of a list. Default 500. */
  pageSize?: number;
  /**
   * A watch that says nothing for this long is taken for dead and opened again where it stopped, in milliseconds. Default 90,000. Where
   * nothing changes the API server sends a bookmark only every minute or two, so a quiet watch is now and then opened for nothing, which
   * costs one request.
   */
  idleMs?: number;
}

const BACKOFF = { baseMs: 200, capMs: 30_000 };
/** The server ends a watch after this long, spread so that the watches of many clients do not end together. */
const WATCH_SECONDS = { least: 240, spread: 240 };
/** A watch that ends sooner and without an event counts as failed, or a broken proxy would have us ask without pause. */
const SHORT_WATCH_MS = 1000;
/** A watch that stood this long was a success, though it broke in the end. */
const STEADY_WATCH_MS = 10_000;
/** After so many answers in a row that make no sense for the version we continue from, list again. */
const MAX_DOUBTS = 3;
/** Says nothing about the version: the server, or a proxy before it, is busy, starting or gone. */
const OVERLOADED = new Set([429, 502, 503]);

/**
 * Lists and watches one kind for ever: whatever happens on the way, it goes on from the last version it saw, or lists again when
 * that is no longer possible. Only its signal ends it.
 */
export class Reflector<T extends AnyObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #backoff: Backoff;
  readonly #log: Log;
  /** Where to continue; undefined: list first. */
  #version: string | undefined;
  #doubts = 0;
  #pageSize: number;
  #contactAt: number;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#backoff = new Backoff(BACKOFF, () => options.clock.random());
    this.#log = options.log.child({ resource: resourceName(options.resource) });
    this.#pageSize = options.pageSize ?? 500;
    this.#contactAt = options.clock.monotonic();
  }

  /** Milliseconds since the API server last said something. */
  get silenceMs(): number {
    return this.#options.clock.monotonic() - this.#contactAt;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#version ??= await this.#list(signal);
        await this.#watch(this.#version, signal);
      } catch (err) {
        if (signal.aborted) return;
        await sleep(this.#options.clock, this.#failed(err), signal);
      }
    }
  }

  /** Decides how to go on after a failure; returns how long to wait before. */
  #failed(err: unknown): number {
    const failure = err instanceof KubeError ? err : undefined;
    const failedTo = this.#version === undefined ? 'list' : 'watch';
    if (isExpired(err)) this.#startOver(failedTo);
    else if (isDoubtful(failure)) this.#doubts += 1;
    if (this.#doubts >= MAX_DOUBTS) this.#version = undefined;
    const delay = this.#backoff.next(failure?.retryAfterMs);
    this.#options.observer?.failed(failure?.reason ?? 'Unknown');
    const expected = isExpired(err) || (failedTo === 'watch' && failure?.reason === TransportReason.Deadline);
    this.#log[expected ? 'debug' : 'warn']({ err, retryInMs: Math.round(delay) }, `Failed to ${failedTo}`);
    return delay;
  }

  /** The server no longer knows what came after our version, or the rest of the list we were reading. */
  #startOver(failedTo: 'list' | 'watch'): void {
    this.#version = undefined;
    // A list that takes longer than the server keeps its pages: fewer, larger ones.
    if (failedTo === 'list') this.#pageSize = Math.min(this.#pageSize * 4, 100_000);
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { cluster, resource, target, clock, observer, scope = {} } = this.#options;
    const startedAt = clock.monotonic();
    const items: T[] = [];
    const ask: AskForPage<T> = (token, onText) => cluster.request(this.#path(), {
      query: { ...this.#selectors(), limit: this.#pageSize, continue: token },
      accept: accept('PartialObjectMetadataList', scope),
      signal,
      onText,
      timeoutMs: 60_000,
    });
    const version = await readList(ask, (page) => {
      this.#contactAt = clock.monotonic();
      // Trimmed page by page, so that never more than one page is held untrimmed.
      for (const item of page) items.push(target.trim(typed(resource, item)));
    });
    target.replace(items, version);
    this.#doubts = 0;
    observer?.listed(items.length, clock.monotonic() - startedAt);
    return version;
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { cluster, clock, observer, idleMs = 90_000, scope = {} } = this.#options;
    const stream = await cluster.stream(this.#path(), {
      query: {
        ...this.#selectors(),
        watch: true,
        allowWatchBookmarks: true,
        resourceVersion: from,
        timeoutSeconds: Math.round(WATCH_SECONDS.least + clock.random() * WATCH_SECONDS.spread),
      },
      accept: accept('PartialObjectMetadata', scope),
      idleMs,
      signal,
    });
    observer?.watchStarted();
    const openedAt = clock.monotonic();
    this.#contactAt = openedAt;
    let events = 0;
    try {
      for await (const line of jsonLines(stream)) {
        this.#event(line);
        events += 1;
      }
    } finally {
      if (clock.monotonic() - openedAt > STEADY_WATCH_MS) this.#backoff.reset();
    }
    if (events === 0 && clock.monotonic() - openedAt < SHORT_WATCH_MS) {
      throw new KubeError({ status: 0, reason: TransportReason.Unreachable, message: 'the watch ended at once' });
    }
  }

  #event(line: unknown): void {
    const { type, object } = isRecord(line) ? line : {};
    if (type === 'ERROR') throw statusError({ status: 0, body: object, request: `WATCH ${this.#path()}` });
    if (!isObject(object)) throw malformed('an event without an object');
    const { target, resource, observer, clock } = this.#options;
    const version = object.metadata.resourceVersion;
    const item = object as T;
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        target.upsert(typed(resource, item));
        break;
      case 'DELETED':
        target.remove(typed(resource, item));
        break;
      case 'BOOKMARK':
        target.advance(version);
        break;
      default:
        throw malformed('an event of an unknown type');
    }
    this.#version = version;
    this.#doubts = 0;
    this.#backoff.reset();
    this.#contactAt = clock.monotonic();
    observer?.event(type);
  }

  #path(): string {
    return collectionPath(this.#options.resource, this.#options.scope?.namespace);
  }

  #selectors(): { labelSelector: string | undefined; fieldSelector: string | undefined } {
    const { labelSelector, fieldSelector } = this.#options.scope ?? {};
    return { labelSelector, fieldSelector };
  }
}

/** An answer that may mean that the version we continue from is unknown to the server, such as one of before a restored backup. */
function isDoubtful(failure: KubeError | undefined): boolean {
  if (!failure || OVERLOADED.has(failure.status)) return false;
  return failure.reason === TransportReason.Malformed || failure.status >= 400;
}

function isObject(value: unknown): value is AnyObject {
  return isRecord(value) && isRecord(value['metadata']) && typeof value['metadata']['resourceVersion'] === 'string';
}

function accept(kind: string, scope: Scope): string {
  return scope.metadataOnly ? `application/json;as=${kind};g=meta.k8s.io;v=v1` : 'application/json';
}
