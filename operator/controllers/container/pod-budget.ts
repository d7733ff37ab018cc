import type { Key } from '../../kube/index.ts';
import { TokenBucket } from '../../kube/token-bucket.ts';

export interface PodBudgetOptions {
  /** Pods of one namespace that may be unfinished at once. */
  maxActive: number;
  /** Pods created, and pods deleted, per second. */
  perSecond: number;
  monotonic(): number;
  /** How many unfinished pods of a namespace the cache shows. */
  active(namespace: string): number;
}

/** What could be created now. */
export interface Room {
  /** Pods, by how fast they may come. */
  pods: number;
  /** Namespaces that have as many as they may. */
  full: string[];
}

/** Keeps the API server healthy: how many pods there may be at once, and how fast they come and go. */
export class PodBudget {
  readonly #options: PodBudgetOptions;
  readonly #creates: TokenBucket;
  readonly #deletes: TokenBucket;
  /** Pods to be deleted, with the time of their turn. */
  readonly #leaving = new Map<Key, number>();
  /** Namespaces where a pod was refused because there were as many as there may be, with the time until when that is believed. */
  readonly #full = new Map<string, number>();
  /** Pods being created, or created and not in the cache yet, with the time when that ends to count. */
  readonly #coming = new Map<Key, number>();

  constructor(options: PodBudgetOptions) {
    this.#options = options;
    const rate = { perSecond: options.perSecond, burst: Math.max(1, Math.ceil(options.perSecond)) };
    this.#creates = new TokenBucket(rate, options.monotonic);
    this.#deletes = new TokenBucket(rate, options.monotonic);
  }

  /** Whether this pod may be created now. */
  mayCreate(pod: Key, namespace: string): boolean {
    const { active, maxActive, monotonic } = this.#options;
    let coming = 0;
    for (const [key, until] of this.#coming) {
      if (until < monotonic()) this.#coming.delete(key);
      else if (key.startsWith(`${namespace}/`)) coming += 1;
    }
    if (active(namespace) + coming >= maxActive) {
      this.#full.set(namespace, monotonic() + FULL_MS);
      return false;
    }
    if (!this.#creates.tryTake()) return false;
    this.#coming.set(pod, monotonic() + COMING_MS);
    return true;
  }

  /** The cache counts this pod from now on, or it was not created. */
  settle(pod: Key): void {
    this.#coming.delete(pod);
  }

  /** A namespace that was full has fewer unfinished pods than before. True: somebody may be waiting for that. */
  freed(namespace: string): boolean {
    return this.#full.delete(namespace);
  }

  room(): Room {
    for (const [namespace, until] of this.#full) if (until < this.#options.monotonic()) this.#full.delete(namespace);
    return { pods: this.#creates.available, full: [...this.#full.keys()] };
  }

  /** Milliseconds until this pod may be deleted. Pods take turns, so each needs to be asked for twice at most. */
  deleteInMs(pod: Key): number {
    const now = this.#options.monotonic();
    const turn = this.#leaving.get(pod) ?? now + this.#deletes.reserve();
    if (turn <= now) this.#leaving.delete(pod);
    else this.#leaving.set(pod, turn);
    return Math.max(0, turn - now);
  }

  /** The pod is gone. */
  forget(pod: Key): void {
    this.#leaving.delete(pod);
  }
}

/** When something else than an end has made room, such as a pod that the API server refused. */
const FULL_MS = 1000;
/** A watch tells of a new pod long before that. */
const COMING_MS = 30_000;
