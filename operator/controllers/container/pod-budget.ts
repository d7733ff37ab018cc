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

/** Keeps the API server healthy: how many pods there may be at once, and how fast they come and go. */
export class PodBudget {
  readonly #options: PodBudgetOptions;
  readonly #creates: TokenBucket;
  readonly #deletes: TokenBucket;
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
    if (active(namespace) + coming >= maxActive || !this.#creates.tryTake()) return false;
    this.#coming.set(pod, monotonic() + COMING_MS);
    return true;
  }

  /** The cache counts this pod from now on, or it was not created. */
  settle(pod: Key): void {
    this.#coming.delete(pod);
  }

  mayDelete(): boolean {
    return this.#deletes.tryTake();
  }
}

/** A watch tells of a new pod long before that. */
const COMING_MS = 30_000;
