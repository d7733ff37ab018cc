import { TokenBucket } from '../../operator/kube/token-bucket.ts';
import { ApiError } from '../problem.ts';

/**
 * One token bucket per key (a user, an address). Bounded: the key that was quiet longest is forgotten first, which gives it
 * a full bucket again.
 */
export class RateLimit {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #options: { perSecond: number; burst: number; monotonic: () => number; maxKeys?: number };

  constructor(options: { perSecond: number; burst: number; monotonic: () => number; maxKeys?: number }) {
    this.#options = options;
  }

  /** Throws TooManyRequests when the key has used up its share. */
  take(key: string): void {
    const { perSecond, burst, monotonic, maxKeys = 10_000 } = this.#options;
    const bucket = this.#buckets.get(key) ?? new TokenBucket({ perSecond, burst }, monotonic);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size > maxKeys && oldest.done === false) this.#buckets.delete(oldest.value);
    if (bucket.tryTake()) return;
    throw new ApiError('TooManyRequests', `More than ${perSecond} requests per second.`, { headers: { 'retry-after': String(Math.max(1, Math.ceil(1 / perSecond))) } });
  }
}
