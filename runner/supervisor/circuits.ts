import { durationMs } from '../engine/duration.ts';
import { WorkflowError } from '../engine/error.ts';
import type { CircuitBreaker } from '../engine/workflow.ts';
import type { CircuitKey, CircuitRecords, OpenCircuit } from '../../store/circuits.ts';
import { FailureWindow, MAX_WINDOW_MS } from './failure-window.ts';

/** States a circuit may come to; HalfOpen: one request is under way to see whether the host is well again. */
export type CircuitState = 'Open' | 'HalfOpen' | 'Closed';

export interface CircuitDeps {
  records: CircuitRecords;
  /** The database's clock, milliseconds since the epoch. */
  now(): number;
  /** Told of every change of state that this runner made. */
  onChange(circuit: CircuitKey, state: CircuitState): void;
  /** Told of every request that was held back. */
  onRefused(): void;
  /** What could not be told to the other runners. */
  onError(error: unknown): void;
}

/** How one request went. */
export interface Departure {
  /** As `enter` answered. */
  probe: boolean;
  failed: boolean;
}

/** Hosts whose requests are counted; of more, those that failed least recently are forgotten. */
const MAX_HOSTS = 10_000;
const MAX_PAUSE_MS = 600_000;
/** Longer names are no hosts. */
const MAX_HOST_LENGTH = 300;

interface Policy {
  failurePercent: number;
  minimumRequests: number;
  windowMs: number;
  openMs: number;
}

/**
 * Circuit breakers by namespace and host, for all executors of a runner. Each runner counts for itself while a circuit is closed, without a
 * message to anybody; that it opened, whose turn it is to try, and that it closed are rows that all runners share.
 */
export class Circuits {
  readonly #deps: CircuitDeps;
  readonly #windows = new Map<string, FailureWindow>();
  #open = new Map<string, OpenCircuit>();
  #refreshed: Promise<void> = Promise.resolve();
  /** Circuits that this runner is asking the turn for. */
  readonly #asking = new Set<string>();

  constructor(deps: CircuitDeps) {
    this.#deps = deps;
  }

  /** How many circuits are not closed. */
  get open(): number {
    return this.#open.size;
  }

  /** Takes over what all runners know. Rejects with a StoreError. */
  async refresh(): Promise<void> {
    // One after the other: an older answer must not replace a newer one.
    const load = this.#refreshed.then(() => this.#load());
    this.#refreshed = load.catch(() => undefined);
    await load;
  }

  async #load(): Promise<void> {
    const open = await this.#deps.records.list();
    this.#open = new Map(open.map((circuit) => [idOf(circuit), circuit]));
    // What was counted before a circuit opened says nothing about the time after it.
    for (const id of this.#open.keys()) this.#windows.delete(id);
  }

  /**
   * Asks whether a request may be sent; `probe` says that it is the one by which the circuit is judged. Rejects with CircuitOpen.
   */
  async enter(key: CircuitKey, breaker: CircuitBreaker): Promise<{ probe: boolean }> {
    const circuit = keyOf(key);
    const id = idOf(circuit);
    const open = this.#open.get(id);
    if (!open) return { probe: false };
    if (this.#deps.now() < open.retryAt || this.#asking.has(id)) throw this.#refusal(open);
    this.#asking.add(id);
    try {
      return { probe: await this.#askTurn(open, policyOf(breaker).openMs) };
    } finally {
      this.#asking.delete(id);
    }
  }

  /** Counts a request that was let through. Never rejects: what other runners could not be told, they find out themselves. */
  async leave(key: CircuitKey, breaker: CircuitBreaker, { probe, failed }: Departure): Promise<void> {
    const circuit = keyOf(key);
    try {
      if (probe) await this.#judge(circuit, policyOf(breaker), failed);
      // Requests that were under way when it opened change nothing any more.
      else if (!this.#open.has(idOf(circuit))) await this.#count(circuit, policyOf(breaker), failed);
    } catch (error) {
      this.#deps.onError(error);
    }
  }

  /** Whether this request is the one to be judged; false when the circuit has closed meanwhile. */
  async #askTurn(open: OpenCircuit, openMs: number): Promise<boolean> {
    const { records, now, onChange } = this.#deps;
    // Should the runner die with the request, another one gets the turn after this time.
    const holdMs = pauseAfter(openMs, open.trips);
    if (await records.probe({ namespace: open.namespace, host: open.host, holdMs })) {
      this.#open.set(idOf(open), { ...open, retryAt: now() + holdMs });
      onChange(open, 'HalfOpen');
      return true;
    }
    await this.refresh();
    const still = this.#open.get(idOf(open));
    if (still) throw this.#refusal(still);
    return false;
  }

  async #judge(circuit: CircuitKey, { openMs }: Policy, failed: boolean): Promise<void> {
    const { records, now, onChange } = this.#deps;
    const id = idOf(circuit);
    if (!failed) {
      this.#open.delete(id);
      onChange(circuit, 'Closed');
      await records.close(circuit);
      return;
    }
    const open = this.#open.get(id);
    if (!open) return;
    const trips = open.trips + 1;
    const pauseMs = pauseAfter(openMs, trips);
    this.#open.set(id, { ...open, trips, retryAt: now() + pauseMs });
    onChange(circuit, 'Open');
    await records.reopen({ ...circuit, pauseMs, trips });
  }

  async #count(circuit: CircuitKey, policy: Policy, failed: boolean): Promise<void> {
    const { records, now, onChange } = this.#deps;
    const id = idOf(circuit);
    const at = now();
    const window = this.#windows.get(id) ?? new FailureWindow();
    window.add(at, failed);
    if (failed) this.#windows.delete(id);
    this.#windows.set(id, window);
    if (this.#windows.size > MAX_HOSTS) for (const oldest of this.#windows.keys().take(1)) this.#windows.delete(oldest);
    const seen = window.within(at, policy.windowMs);
    if (!failed || seen.requests < policy.minimumRequests || seen.failures * 100 < policy.failurePercent * seen.requests) return;
    this.#windows.delete(id);
    this.#open.set(id, { ...circuit, ...seen, openedAt: at, retryAt: at + policy.openMs, trips: 1 });
    onChange(circuit, 'Open');
    await records.open({ ...circuit, ...seen, pauseMs: policy.openMs });
  }

  #refusal({ host, openedAt, retryAt, requests, failures }: OpenCircuit): WorkflowError {
    this.#deps.onRefused();
    return new WorkflowError('CircuitOpen', `No request is sent to ${host} since ${iso(openedAt)}, because ${failures} of ${requests} failed. The next one is tried at ${iso(retryAt)}. Check the service; requests are sent again once one of them works.`);
  }
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

function idOf({ namespace, host }: CircuitKey): string {
  return `${namespace} ${host}`;
}

function keyOf({ namespace, host }: CircuitKey): CircuitKey {
  return { namespace, host: host.slice(0, MAX_HOST_LENGTH) };
}

function pauseAfter(openMs: number, trips: number): number {
  return Math.min(openMs * 2 ** (trips - 1), Math.max(openMs, MAX_PAUSE_MS));
}

/** Definitions that a node brought with it were judged by nobody, so every value is brought within its bounds. */
function policyOf({ failurePercent = 50, minimumRequests = 10, window = '30s', openFor = '30s' }: CircuitBreaker): Policy {
  return {
    failurePercent: within(failurePercent, 1, 100),
    minimumRequests: within(minimumRequests, 1, 10_000),
    windowMs: within(durationMs(window), 1000, MAX_WINDOW_MS),
    openMs: within(durationMs(openFor), 100, MAX_PAUSE_MS),
  };
}

/** What is no number becomes the lowest. */
function within(value: number, min: number, max: number): number {
  return value >= min ? Math.min(value, max) : min;
}
