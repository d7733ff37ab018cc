import { CacheIndex } from './cache-index.ts';
import { cloneJson } from './json.ts';
import { keyOf, resourceVersionOf, versionNumber } from './object.ts';
import type { IndexBy } from './cache-index.ts';
import type { AnyObject, Key } from './object.ts';
import type { Resource } from './resource.ts';

/** An object appeared (no `before`), changed, or went (no `after`). */
export interface Change<T> {
  readonly key: Key;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export type Listener<T> = (change: Change<T>) => void;

export interface CacheOptions<T extends AnyObject> {
  resource: Resource<T>;
  /** Drops what nobody needs before an object is kept; may change its argument. managedFields are always dropped. */
  transform?: ((object: T) => T) | undefined;
  /** Only objects of this namespace are in the cache. */
  namespace?: string | undefined;
  /** Only some objects are in the cache, and the cache cannot tell which. */
  selective?: boolean | undefined;
  /** Freezes what is kept, so that a caller that changes it fails. For tests: it costs time. */
  freeze?: boolean | undefined;
  /** Told when a listener or an index throws. */
  onError: (err: unknown, key: Key) => void;
}

/**
 * The objects of one kind as a watch shows them, raw. Read-only: use structuredClone before changing anything.
 *
 * What we write ourselves is offered to the cache, so that a reconciler never decides on a state older than its own last
 * write. The version up to which the watch has come decides whether an offer still tells something new.
 */
export class Cache<T extends AnyObject> {
  readonly resource: Resource<T>;
  readonly #options: CacheOptions<T>;
  readonly #objects = new Map<Key, T>();
  readonly #indexes = new Map<string, CacheIndex<T>>();
  readonly #listeners = new Set<Listener<T>>();
  readonly #firstSync = Promise.withResolvers<void>();
  #synced = false;
  /** Every change up to this version is in the cache. */
  #position = Number.NaN;

  constructor(options: CacheOptions<T>) {
    this.resource = options.resource;
    this.#options = options;
  }

  get(key: Key): T | undefined {
    return this.#objects.get(key);
  }

  get size(): number {
    return this.#objects.size;
  }

  keys(): Key[] {
    return [...this.#objects.keys()];
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  /** Keys of the objects that an index holds under `value`. */
  keysByIndex(name: string, value: string): Key[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`cache of ${this.resource.kind} has no index ${name}`);
    return index.keys(value);
  }

  byIndex(name: string, value: string): T[] {
    return this.keysByIndex(name, value).flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** Adds an index; the same one again is no error. */
  addIndex(name: string, by: IndexBy<T>): void {
    const known = this.#indexes.get(name);
    if (known?.by === by) return;
    if (known) throw new Error(`cache of ${this.resource.kind} already has another index ${name}`);
    const index = new CacheIndex(by);
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) this.#guarded(key, () => index.update(key, undefined, object));
  }

  /** Calls the listener for each change from now on, after the cache and its indexes show it. Returns how to stop. */
  subscribe(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Whether the first list has come. */
  get synced(): boolean {
    return this.#synced;
  }

  whenSynced(): Promise<void> {
    return this.#firstSync.promise;
  }

  /** What is kept of an object. */
  trim(object: T): T {
    delete (object.metadata as { managedFields?: unknown }).managedFields;
    const kept = this.#options.transform ? this.#options.transform(object) : object;
    return this.#options.freeze ? deepFreeze(kept) : kept;
  }

  /** Takes over a complete list of trimmed objects; listeners are told the differences. */
  replace(items: T[], resourceVersion: string): void {
    const version = versionNumber(resourceVersion);
    // Versions only go back when the whole cluster did, by a restored backup. Then nothing known before is worth keeping.
    const restored = version < this.#position;
    const listed = new Map(items.map((item) => [keyOf(item), item]));
    for (const [key, current] of this.#objects) {
      if (!listed.has(key) && (restored || !(resourceVersionOf(current) > version))) this.#set(key, undefined);
    }
    for (const [key, item] of listed) {
      const current = this.#objects.get(key);
      if (restored || !current || isNewer(item, current)) this.#set(key, item);
    }
    this.#position = version;
    this.#synced = true;
    this.#firstSync.resolve();
  }

  upsert(object: T): void {
    const key = keyOf(object);
    const current = this.#objects.get(key);
    if (!current || isNewer(object, current)) this.#set(key, this.trim(object));
    this.advance(object.metadata.resourceVersion);
  }

  remove(object: T): void {
    const key = keyOf(object);
    const current = this.#objects.get(key);
    if (current && !(resourceVersionOf(current) > resourceVersionOf(object))) this.#set(key, undefined);
    this.advance(object.metadata.resourceVersion);
  }

  /** The watch has come this far. */
  advance(resourceVersion: string | undefined): void {
    const version = versionNumber(resourceVersion);
    if (!(version < this.#position)) this.#position = version;
  }

  /**
   * An object as one of our own writes returned it. Taken only when the watch has not come that far: else the watch has already
   * shown this version, or that the object is gone.
   */
  offer(object: T): void {
    if (!this.#synced || !(resourceVersionOf(object) > this.#position)) return;
    const { namespace, selective } = this.#options;
    if (namespace !== undefined && namespace !== object.metadata.namespace) return;
    const key = keyOf(object);
    const current = this.#objects.get(key);
    if (current ? isNewer(object, current) : !selective) this.#set(key, this.trim(cloneJson(object)));
  }

  #set(key: Key, after: T | undefined): void {
    const before = this.#objects.get(key);
    if (after) this.#objects.set(key, after);
    else this.#objects.delete(key);
    for (const index of this.#indexes.values()) this.#guarded(key, () => index.update(key, before, after));
    for (const listener of this.#listeners) this.#guarded(key, () => listener({ key, before, after }));
  }

  /** One broken listener or index must not keep changes from the others. */
  #guarded(key: Key, task: () => void): void {
    try {
      task();
    } catch (err) {
      this.#options.onError(err, key);
    }
  }
}

/** Whether `a` is a later state than `b`, or one that cannot be compared with it. */
function isNewer(a: AnyObject, b: AnyObject): boolean {
  if (a.metadata.resourceVersion === b.metadata.resourceVersion && a.metadata.uid === b.metadata.uid) return false;
  return !(resourceVersionOf(a) < resourceVersionOf(b));
}

function deepFreeze<V>(value: V): V {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
