import { fullJitter } from './backoff.ts';
import { MAX_TIMER_MS } from './clock.ts';
import { DelayHeap } from './delay-heap.ts';
import { TokenBucket } from './token-bucket.ts';
import type { BackoffOptions } from './backoff.ts';
import type { Clock } from './clock.ts';

/** Told what the queue does; for metrics. */
export interface QueueObserver {
  depth(size: number): void;
  added(): void;
  /** A key left the queue after waiting this long. */
  taken(waitedMs: number): void;
  retried(): void;
}

export interface WorkQueueOptions {
  clock: Clock;
  /** Delay of a key that failed, by its failures in a row. */
  backoff?: BackoffOptions;
  /** Bound on retries of all keys together, so that an outage of something shared does not become a storm. */
  retries?: { perSecond: number; burst: number };
  observer?: QueueObserver;
}

/**
 * A queue of keys that need work. A key is in it at most once however often it is added; a key being worked on is
 * handed out again only after `done`; a key that will be looked at now loses its delayed turn, because whoever looks decides anew
 * when to look next.
 */
export class WorkQueue<K> {
  readonly #clock: Clock;
  readonly #backoff: BackoffOptions;
  readonly #bucket: TokenBucket;
  readonly #observer: QueueObserver | undefined;

  /** Keys that want work, with the time they were added. */
  readonly #dirty = new Map<K, number>();
  readonly #active = new Set<K>();
  /** Dirty keys that are not active, in order; those before `#head` are gone. */
  #ready: K[] = [];
  #head = 0;
  readonly #delayed = new DelayHeap<K>();
  readonly #failures = new Map<K, number>();
  #waiting: (() => void)[] = [];
  #timer: { dueAt: number; cancel: () => void } | undefined;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#backoff = options.backoff ?? { baseMs: 20, capMs: 300_000 };
    this.#bucket = new TokenBucket(options.retries ?? { perSecond: 100, burst: 1000 }, () => options.clock.monotonic());
    this.#observer = options.observer;
  }

  /** Keys waiting to be taken, delayed ones not counted. */
  get depth(): number {
    return this.#ready.length - this.#head;
  }

  /** Keys handed out and not yet done. */
  get active(): number {
    return this.#active.size;
  }

  /** The key needs work now. */
  add(key: K): void {
    if (this.#closed || this.#dirty.has(key)) return;
    this.#dirty.set(key, this.#clock.monotonic());
    this.#observer?.added();
    if (!this.#active.has(key)) this.#push(key);
  }

  /** The key needs work in `ms`. Of two delays the earlier stands. */
  addAfter(key: K, ms: number): void {
    if (ms <= 0) return this.add(key);
    if (this.#closed) return;
    const dueAt = this.#clock.monotonic() + ms;
    const planned = this.#delayed.dueAt(key);
    if (planned !== undefined && planned <= dueAt) return;
    this.#delayed.set(key, dueAt);
    this.#schedule();
  }

  /** The key failed: works on it again after a delay that grows with its failures. `atLeastMs` is a floor, such as a Retry-After. */
  retry(key: K, atLeastMs = 0): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#observer?.retried();
    const jitter = fullJitter(failures, this.#backoff, () => this.#clock.random());
    this.addAfter(key, Math.max(jitter + atLeastMs, this.#bucket.reserve()));
  }

  /** The key succeeded, or will not be retried: its next failure counts as the first. */
  forget(key: K): void {
    this.#failures.delete(key);
  }

  failures(key: K): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, waiting for one; undefined once the queue is closed. Every key taken must be given back with `done`. */
  async take(): Promise<K | undefined> {
    while (this.depth === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
    return this.#closed ? undefined : this.#shift();
  }

  done(key: K): void {
    if (this.#active.delete(key) && this.#dirty.has(key)) this.#push(key);
  }

  /** Hands out nothing more. Keys already taken may finish. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#delayed.clear();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #push(key: K): void {
    this.#ready.push(key);
    this.#observer?.depth(this.depth);
    this.#waiting.shift()?.();
  }

  #shift(): K | undefined {
    const key = this.#ready[this.#head] as K;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#head);
      this.#head = 0;
    }
    const addedAt = this.#dirty.get(key) ?? 0;
    this.#dirty.delete(key);
    this.#delayed.delete(key);
    this.#active.add(key);
    this.#observer?.depth(this.depth);
    this.#observer?.taken(this.#clock.monotonic() - addedAt);
    return key;
  }

  /** Keeps one timer, set for the earliest delayed key. */
  #schedule(): void {
    const dueAt = this.#delayed.nextDueAt;
    if (dueAt === undefined || (this.#timer && this.#timer.dueAt <= dueAt)) return;
    this.#timer?.cancel();
    const wait = Math.min(Math.max(dueAt - this.#clock.monotonic(), 1), MAX_TIMER_MS);
    this.#timer = { dueAt, cancel: this.#clock.after(wait, () => this.#release()) };
  }

  #release(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let key = this.#delayed.pop(now); key !== undefined; key = this.#delayed.pop(now)) this.add(key);
    this.#schedule();
  }
}
