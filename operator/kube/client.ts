import { desiredHash, isApplied } from './desired.ts';
import { isExpired, isNotFound } from './errors.ts';
import { keyOf } from './object.ts';
import { apiVersionOf, collectionPath, objectPath, typed } from './resource.ts';
import type { Cluster, Impersonation, RequestOptions } from './cluster.ts';
import type { AnyObject, Draft, Key, ObjectMeta } from './object.ts';
import type { Resource } from './resource.ts';

/** For one call. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
  /** Do it with the rights and in the name of somebody else. */
  asUser?: Impersonation | undefined;
  /** Check and admit, but store nothing. */
  dryRun?: boolean | undefined;
}

export interface ListOptions extends CallOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  /** Objects per page. Default 500. */
  pageSize?: number | undefined;
}

export interface Page<T> {
  items: T[];
  /** The version of the whole list, the same on every page; a watch continues from it. */
  resourceVersion: string;
}

export interface ApplyOptions extends CallOptions {
  /** Take fields over from other managers. Default true: for objects we own. */
  force?: boolean;
}

export interface DeleteOptions extends CallOptions {
  /** Delete only this object, not one that has taken its name. */
  uid?: string | undefined;
  /** Delete only if unchanged since. */
  resourceVersion?: string | undefined;
  propagation?: 'Background' | 'Foreground' | 'Orphan';
  gracePeriodSeconds?: number;
}

/** RFC 6902 (`json`) or RFC 7386 (`merge`). */
export type Patch = { json: readonly { op: 'add' | 'remove' | 'replace' | 'test'; path: string; value?: unknown }[] } | { merge: object };

export interface ClientOptions {
  /** Name under which the API server records what we own. */
  fieldManager: string;
  /** Annotation in which `ensure` remembers what it applied. Default "<fieldManager>/applied". */
  appliedAnnotation?: string;
  /** Called before each write; throws to prevent it. */
  guard?: () => void;
  /** Told every object a write returned, so that a cache shows our own writes at once. */
  observe?: (object: AnyObject) => void;
}

/** Reads and writes objects of one kind. */
export class Client<T extends AnyObject> {
  readonly resource: Resource<T>;
  readonly #cluster: Cluster;
  readonly #options: ClientOptions;
  readonly #annotation: string;

  constructor(cluster: Cluster, resource: Resource<T>, options: ClientOptions) {
    this.resource = resource;
    this.#cluster = cluster;
    this.#options = options;
    this.#annotation = options.appliedAnnotation ?? `${options.fieldManager}/applied`;
  }

  /** The object, or undefined when there is none. */
  async get(key: Key, options: CallOptions = {}): Promise<T | undefined> {
    try {
      return await this.#cluster.request<T>(objectPath(this.resource, key), call(options));
    } catch (err) {
      if (isNotFound(err)) return undefined;
      throw err;
    }
  }

  /** All objects, in pages that together show one moment. A page that expired meanwhile throws; see `isExpired`. */
  async *pages(options: ListOptions = {}): AsyncGenerator<Page<T>> {
    const { namespace, labelSelector, fieldSelector, pageSize: limit = 500 } = options;
    let next: string | undefined;
    do {
      const page: { items?: T[] | null; metadata: { resourceVersion: string; continue?: string } } = await this.#cluster.request(
        collectionPath(this.resource, namespace),
        { ...call(options), query: { labelSelector, fieldSelector, limit, continue: next } },
      );
      yield { items: (page.items ?? []).map((item) => typed(this.resource, item)), resourceVersion: page.metadata.resourceVersion };
      next = page.metadata.continue;
    } while (next !== undefined && next !== '');
  }

  /** All objects. Starts again when a page expired on the way. */
  async list(options: ListOptions = {}): Promise<Page<T>> {
    for (let pageSize = options.pageSize ?? 500; ; pageSize *= 4) {
      const all: Page<T> = { items: [], resourceVersion: '' };
      try {
        for await (const page of this.pages({ ...options, pageSize })) {
          all.items = all.items.concat(page.items);
          all.resourceVersion = page.resourceVersion;
        }
        return all;
      } catch (err) {
        if (!isExpired(err) || pageSize > 100_000) throw err;
      }
    }
  }

  /** Throws KubeError AlreadyExists, which for a deterministic name is a normal outcome. */
  create(object: Draft<T>, options: CallOptions = {}): Promise<T> {
    const path = collectionPath(this.resource, object.metadata.namespace);
    return this.#write(path, { ...call(options), method: 'POST', query: this.#query(options), body: this.#typed(object) });
  }

  /** Replaces the object; with metadata.resourceVersion only if unchanged since (KubeError Conflict). */
  replace(object: Draft<T>, options: CallOptions = {}): Promise<T> {
    const path = objectPath(this.resource, keyOf(object));
    return this.#write(path, { ...call(options), method: 'PUT', query: this.#query(options), body: this.#typed(object) });
  }

  /** Server-side apply: creates the object or sets the fields given, and removes those this manager set before and no longer gives. */
  apply(object: Draft<T>, options: ApplyOptions = {}): Promise<T> {
    return this.#apply(object, options);
  }

  /** `apply`, but without a request when `live`, from a cache, already shows it. For objects we own. */
  async ensure(object: Draft<T>, options: ApplyOptions & { live: T | undefined }): Promise<T> {
    const { live } = options;
    if (live && isApplied(object, live, this.#annotation)) return live;
    const annotations = { ...object.metadata.annotations, [this.#annotation]: desiredHash(object) };
    return await this.#apply({ ...object, metadata: { ...object.metadata, annotations } }, options);
  }

  /** Server-side apply of the status alone. With metadata.resourceVersion only if unchanged since (KubeError Conflict). */
  applyStatus(object: { metadata: ObjectMeta; status: object }, options: ApplyOptions = {}): Promise<T> {
    const { name, namespace, resourceVersion } = object.metadata;
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
    return this.#apply({ metadata, status: object.status }, options, 'status');
  }

  patch(key: Key, patch: Patch, options: CallOptions & { subresource?: string } = {}): Promise<T> {
    const json = 'json' in patch;
    return this.#write(objectPath(this.resource, key, options.subresource), {
      ...call(options),
      method: 'PATCH',
      query: this.#query(options),
      contentType: json ? 'application/json-patch+json' : 'application/merge-patch+json',
      body: json ? patch.json : patch.merge,
    });
  }

  /** Whether there was something to delete. */
  async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    const { uid, resourceVersion, propagation: propagationPolicy = 'Background', gracePeriodSeconds } = options;
    this.#options.guard?.();
    try {
      await this.#cluster.request(objectPath(this.resource, key), {
        ...call(options),
        method: 'DELETE',
        query: options.dryRun ? { dryRun: 'All' } : {},
        body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion }, propagationPolicy, gracePeriodSeconds },
      });
      return true;
    } catch (err) {
      if (isNotFound(err)) return false;
      throw err;
    }
  }

  #apply(object: { metadata: ObjectMeta; status?: unknown }, options: ApplyOptions, subresource?: string): Promise<T> {
    return this.#write(objectPath(this.resource, keyOf(object), subresource), {
      ...call(options),
      method: 'PATCH',
      query: { ...this.#query(options), force: options.force ?? true },
      contentType: 'application/apply-patch+yaml',
      body: this.#typed(object),
    });
  }

  async #write(path: string, request: RequestOptions): Promise<T> {
    this.#options.guard?.();
    const written = typed(this.resource, await this.#cluster.request<T>(path, request));
    if (request.query?.['dryRun'] === undefined) this.#options.observe?.(written);
    return written;
  }

  #query(options: CallOptions): Record<string, string | undefined> {
    return { fieldManager: this.#options.fieldManager, dryRun: options.dryRun ? 'All' : undefined };
  }

  #typed(object: object): object {
    return { ...object, apiVersion: apiVersionOf(this.resource), kind: this.resource.kind };
  }
}

export function client<T extends AnyObject>(cluster: Cluster, resource: Resource<T>, options: ClientOptions): Client<T> {
  return new Client(cluster, resource, options);
}

function call({ signal, timeoutMs, asUser }: CallOptions): RequestOptions {
  return { signal, timeoutMs, asUser };
}
