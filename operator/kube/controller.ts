import { setImmediate as nextTurn } from 'node:timers/promises';
import { fullJitter } from './backoff.ts';
import { deadline } from './deadline.ts';
import { KubeError, LeadershipLostError, StalledError, TerminalError, WaitingError, isConflict } from './errors.ts';
import { WorkQueue } from './work-queue.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Key } from './object.ts';
import type { PolicyRule } from './rbac.ts';
import type { Watch } from './watch.ts';
import type { QueueObserver } from './work-queue.ts';

/** When to look again, though nothing changed. Nothing: when something changes. */
export interface Result {
  requeueAfterMs?: number;
}

/** One pass over one key. */
export interface Pass {
  readonly key: Key;
  /** Aborts when the pass must end: its deadline passed, or the process stops. */
  readonly signal: AbortSignal;
  /** Aborts only when the process stops or no longer leads: then nothing more may be written. */
  readonly stopping: AbortSignal;
  /** Knows the controller and the key. */
  readonly log: Log;
}

export interface ControllerOptions {
  /** Lower-case, unique; in logs and metrics. */
  name: string;
  /** What it needs to be allowed. */
  rbac: readonly PolicyRule[];
  watches: readonly Watch[];
  /**
   * Makes the world what the object of this key asks for, whatever happened. Never called twice at once for one key. Errors decide
   * when it is called again: see errors.ts.
   */
  reconcile(key: Key, pass: Pass): Promise<Result>;
  /** Keys worked on at once. Default 4. */
  concurrency?: number;
  /** Time for one pass, in milliseconds. Default 60,000. */
  deadlineMs?: number;
}

/** How a pass ended. */
export const PassResult = {
  Done: 'done',
  Requeued: 'requeued',
  Waiting: 'waiting',
  Stalled: 'stalled',
  Conflict: 'conflict',
  Failed: 'failed',
  Terminal: 'terminal',
  Stopped: 'stopped',
} as const;
export type PassResult = (typeof PassResult)[keyof typeof PassResult];

/** Told what the controller does; for metrics. */
export interface ControllerObserver {
  queue: QueueObserver;
  passed(result: PassResult, ms: number): void;
  active(count: number): void;
  mappingFailed(): void;
}

export interface ControllerRuntime {
  clock: Clock;
  log: Log;
  observer?: ControllerObserver | undefined;
  /** Whether this process may work now. Asked before each pass, because a paused process wakes up before its timers fire. */
  mayWork(): boolean;
}

/** A pass that outlives its deadline by this much is stuck: it ignores its signal, and its key stays locked. */
const STUCK_AFTER_MS = 60_000;
/**
 * Longest time passes keep the event loop from timers and answers. Passes that find nothing to do wait for nothing: ten thousand of them in one turn
 * would take longer than a lease lasts.
 */
const TURN_MS = 20;
const MAPPING_BACKOFF = { baseMs: 100, capMs: 60_000 };

export class Controller {
  readonly name: string;
  readonly rbac: readonly PolicyRule[];
  readonly #options: ControllerOptions;
  readonly #runtime: ControllerRuntime;
  readonly #log: Log;
  readonly #queue: WorkQueue<Key>;
  readonly #deadlineMs: number;
  /** Start times of the passes under way. */
  readonly #passes = new Map<Key, number>();
  readonly #stops = new Set<() => void>();
  /** When the event loop last had its turn for certain, and its next one, which all that work wait for. */
  #turnAt = 0;
  #turn: Promise<void> | undefined;

  constructor(options: ControllerOptions, runtime: ControllerRuntime) {
    this.name = options.name;
    this.rbac = options.rbac;
    this.#options = options;
    this.#runtime = runtime;
    this.#log = runtime.log.child({ controller: options.name });
    this.#deadlineMs = options.deadlineMs ?? 60_000;
    this.#queue = new WorkQueue({ clock: runtime.clock, ...(runtime.observer ? { observer: runtime.observer.queue } : {}) });
    for (const source of options.watches) this.watch(source);
  }

  /** The key may need work, for a reason outside the cluster, now or in `afterMs`. */
  enqueue(key: Key, afterMs = 0): void {
    this.#queue.addAfter(key, afterMs);
  }

  /** Adds a source of keys, such as a cache of another cluster. Returns how to stop it. */
  watch(source: Watch): () => void {
    const stop = source.start({
      enqueue: (key) => this.#queue.add(key),
      failed: ({ err, source: changed, attempt, again }) => {
        this.#log.error({ err, changed }, 'Failed to find what a change affects, trying again');
        this.#runtime.observer?.mappingFailed();
        const { clock } = this.#runtime;
        const cancel = clock.after(fullJitter(attempt, MAPPING_BACKOFF, () => clock.random()), () => {
          this.#stops.delete(cancel);
          again();
        });
        this.#stops.add(cancel);
      },
    });
    this.#stops.add(stop);
    return () => {
      stop();
      this.#stops.delete(stop);
    };
  }

  /**
   * Works until `drain` aborts, then lets the passes under way finish; `stopping` tells them to break off. Resolves when the last
   * one has ended: only then may somebody else start.
   */
  async run({ drain, stopping }: { drain: AbortSignal; stopping: AbortSignal }): Promise<void> {
    const close = (): void => {
      this.#queue.close();
      for (const stop of this.#stops) stop();
      this.#stops.clear();
    };
    if (drain.aborted) close();
    else drain.addEventListener('abort', close, { once: true });
    await Promise.all(Array.from({ length: this.#options.concurrency ?? 4 }, () => this.#work(stopping)));
    drain.removeEventListener('abort', close);
  }

  /** What a liveness probe should know. */
  problems(): string[] {
    const now = this.#runtime.clock.monotonic();
    return [...this.#passes]
      .filter(([, startedAt]) => now - startedAt > this.#deadlineMs + STUCK_AFTER_MS)
      .map(([key]) => `controller ${this.name} is stuck in ${key}`);
  }

  async #work(stopping: AbortSignal): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      await this.#pass(key, stopping);
      this.#queue.done(key);
      await this.#giveTurn();
    }
  }

  async #giveTurn(): Promise<void> {
    const { clock } = this.#runtime;
    if (clock.monotonic() - this.#turnAt < TURN_MS) return;
    this.#turn ??= nextTurn().then(() => {
      this.#turnAt = clock.monotonic();
      this.#turn = undefined;
    });
    await this.#turn;
  }

  async #pass(key: Key, stopping: AbortSignal): Promise<void> {
    const { clock, observer } = this.#runtime;
    const startedAt = clock.monotonic();
    this.#passes.set(key, startedAt);
    observer?.active(this.#passes.size);
    using limit = deadline(clock, this.#deadlineMs, stopping);
    const log = this.#log.child({ key });
    let result: PassResult;
    try {
      if (!this.#runtime.mayWork()) throw new LeadershipLostError('another replica may lead');
      const { requeueAfterMs } = await this.#options.reconcile(key, { key, signal: limit.signal, stopping, log });
      this.#queue.forget(key);
      if (requeueAfterMs !== undefined) this.#queue.addAfter(key, requeueAfterMs);
      result = requeueAfterMs === undefined ? PassResult.Done : PassResult.Requeued;
    } catch (err) {
      result = stopping.aborted ? PassResult.Stopped : this.#failed(key, err, log);
    }
    this.#passes.delete(key);
    observer?.active(this.#passes.size);
    observer?.passed(result, clock.monotonic() - startedAt);
  }

  #failed(key: Key, err: unknown, log: Log): PassResult {
    if (err instanceof WaitingError) {
      log.debug({ reason: err.reason, afterMs: err.afterMs }, 'Waited');
      this.#queue.forget(key);
      this.#queue.addAfter(key, err.afterMs);
      return PassResult.Waiting;
    }
    if (err instanceof StalledError) {
      log.info({ reason: err.reason, message: err.message }, 'Stalled until the object changes');
      this.#queue.forget(key);
      return PassResult.Stalled;
    }
    if (err instanceof TerminalError) {
      log.error({ err }, 'Gave up');
      this.#queue.forget(key);
      return PassResult.Terminal;
    }
    this.#queue.retry(key, err instanceof KubeError ? err.retryAfterMs : undefined);
    if (err instanceof LeadershipLostError) {
      // Said once, by whoever notices that the lease is lost; the process ends then.
      log.debug({ err }, 'Stopped');
      return PassResult.Stopped;
    }
    if (isConflict(err)) {
      log.debug({ err }, 'Decided on a state that was out of date');
      return PassResult.Conflict;
    }
    log.error({ err, failures: this.#queue.failures(key) }, 'Failed to reconcile');
    return PassResult.Failed;
  }
}
