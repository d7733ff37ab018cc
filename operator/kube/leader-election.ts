import { microTimestamp, sleep } from './clock.ts';
import { deadline } from './deadline.ts';
import { KubeError, LeadershipLostError, isAlreadyExists, isConflict } from './errors.ts';
import { splitKey } from './object.ts';
import type { Lease } from './builtin.ts';
import type { Client } from './client.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Draft, Key } from './object.ts';

export interface LeaderElectionOptions {
  client: Client<Lease>;
  /** "namespace/name" of the lease. */
  key: Key;
  /** Unique among replicas and their restarts. */
  identity: string;
  clock: Clock;
  log: Log;
  /** How long others wait after the last renewal they saw. Default 15,000. Whole seconds. */
  leaseMs?: number;
  /** How long we go on without a renewal. Default 10,000; the difference is the margin in which our last work must end. */
  renewMs?: number;
  /** How often to renew or to look. Default 2,000. */
  retryMs?: number;
}

/**
 * Leads while it holds a lease. Clocks of different machines are never compared: a lease is over when it has not changed for its duration
 * on our own monotonic clock; ours is over when our last renewal that succeeded was sent too long ago.
 */
export class LeaderElector {
  readonly #options: Required<LeaderElectionOptions>;
  /** The lease as last seen or written, and when. */
  #seen: { lease: Lease; at: number } | undefined;
  /** When the last successful renewal was sent. */
  #renewedAt: number | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000, ...options };
    const { leaseMs, renewMs, retryMs } = this.#options;
    if (!(leaseMs > renewMs && renewMs > retryMs)) throw new Error('leader election needs leaseMs > renewMs > retryMs');
    if (leaseMs % 1000 !== 0) throw new Error('leaseMs must be whole seconds: a Lease has no finer unit');
  }

  /** Whether we lead at this moment; true also tells that nobody else does. */
  get leading(): boolean {
    return this.#leftMs() > 0;
  }

  /** Resolves once we lead, or when the signal aborts. Survives whatever the API server does. */
  async acquire(signal: AbortSignal): Promise<void> {
    const { clock, log, retryMs, key, identity } = this.#options;
    while (!signal.aborted) {
      try {
        if (await this.#tryAcquire(signal)) {
          log.info({ lease: key, identity }, 'Became the leader');
          return;
        }
      } catch (err) {
        if (signal.aborted) return;
        log.warn({ err, lease: key }, 'Failed to look at the lease');
      }
      await sleep(clock, retryMs * (1 + clock.random() * 0.2), signal);
    }
  }

  /** Renews. Resolves when the signal aborts; throws LeadershipLostError as soon as we may no longer work. */
  async hold(signal: AbortSignal): Promise<void> {
    const { clock, log, retryMs, key } = this.#options;
    for (;;) {
      await sleep(clock, Math.min(retryMs, this.#leftMs()), signal);
      if (signal.aborted) return;
      if (!this.leading) throw new LeadershipLostError(`the lease ${key} could not be renewed in time`);
      // A request that hangs must not keep us from noticing that time is up.
      using limit = deadline(clock, this.#leftMs(), signal);
      try {
        await this.#renew(limit.signal);
      } catch (err) {
        if (signal.aborted) return;
        if (err instanceof LeadershipLostError) throw err;
        log.warn({ err, lease: key }, 'Failed to renew the lease');
      }
    }
  }

  /** Hands the lease over at once. Call it only when all work has ended. */
  async release(): Promise<void> {
    if (!this.leading || !this.#seen) return;
    this.#renewedAt = undefined;
    const { lease } = this.#seen;
    const { log, key } = this.#options;
    try {
      await this.#write({ ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: this.#now() } });
      log.info({ lease: key }, 'Released the lease');
    } catch (err) {
      log.warn({ err, lease: key }, 'Failed to release the lease, it expires by itself');
    }
  }

  /** Time for which we certainly lead. */
  #leftMs(): number {
    if (this.#renewedAt === undefined) return 0;
    return Math.max(this.#renewedAt + this.#options.renewMs - this.#options.clock.monotonic(), 0);
  }

  async #tryAcquire(signal: AbortSignal): Promise<boolean> {
    const { client, key, identity, clock } = this.#options;
    const lease = await client.get(key, { signal, timeoutMs: this.#timeoutMs() });
    const sentAt = clock.monotonic();
    try {
      if (!lease) await this.#create(signal);
      else if (this.#isFree(lease)) {
        const { leaseTransitions = 0, holderIdentity } = lease.spec ?? {};
        const transitions = leaseTransitions + (holderIdentity === identity ? 0 : 1);
        await this.#write({ ...lease, spec: { ...this.#held(), acquireTime: this.#now(), leaseTransitions: transitions } }, signal);
      } else return false;
    } catch (err) {
      // Another replica was faster.
      if (isConflict(err) || isAlreadyExists(err)) return false;
      throw err;
    }
    this.#renewedAt = sentAt;
    return true;
  }

  /**
   * Nobody holds it, or its holder has not renewed it for as long as we have been watching; or it is ours already, by a write whose answer
   * was lost.
   */
  #isFree(lease: Lease): boolean {
    const { clock, leaseMs, identity } = this.#options;
    const { holderIdentity, leaseDurationSeconds } = lease.spec ?? {};
    if (holderIdentity === undefined || holderIdentity === '' || holderIdentity === identity) return true;
    const seen = this.#seen;
    if (!seen || seen.lease.metadata.uid !== lease.metadata.uid || seen.lease.metadata.resourceVersion !== lease.metadata.resourceVersion) {
      this.#seen = { lease, at: clock.monotonic() };
      return false;
    }
    return clock.monotonic() - seen.at > Math.max(leaseMs, (leaseDurationSeconds ?? 0) * 1000);
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { client, key, identity, clock } = this.#options;
    const sentAt = clock.monotonic();
    const lease = this.#seen?.lease;
    if (!lease) throw new LeadershipLostError(`the lease ${key} was never held`);
    try {
      await this.#write({ ...lease, spec: { ...lease.spec, ...this.#held() } }, signal);
    } catch (err) {
      // Somebody changed or deleted it: look who. Also after an answer that was lost though the server had written.
      if (!(err instanceof KubeError) || (err.status !== 409 && err.status !== 404)) throw err;
      const current = await client.get(key, { signal, timeoutMs: this.#timeoutMs() });
      if (current?.spec?.holderIdentity !== identity) throw new LeadershipLostError(`the lease ${key} has gone to ${current?.spec?.holderIdentity ?? 'nobody'}`);
      await this.#write({ ...current, spec: { ...current.spec, ...this.#held() } }, signal);
    }
    this.#renewedAt = sentAt;
  }

  async #create(signal: AbortSignal): Promise<void> {
    const { client, key, clock } = this.#options;
    const draft: Draft<Lease> = { metadata: splitKey(key), spec: { ...this.#held(), acquireTime: this.#now(), leaseTransitions: 0 } };
    const lease = await client.create(draft, { signal, timeoutMs: this.#timeoutMs() });
    this.#seen = { lease, at: clock.monotonic() };
  }

  async #write(lease: Lease, signal?: AbortSignal): Promise<void> {
    const { client, clock } = this.#options;
    const written = await client.replace(lease, { signal, timeoutMs: this.#timeoutMs() });
    this.#seen = { lease: written, at: clock.monotonic() };
  }

  #held(): NonNullable<Lease['spec']> {
    const { identity, leaseMs } = this.#options;
    return { holderIdentity: identity, leaseDurationSeconds: leaseMs / 1000, renewTime: this.#now() };
  }

  /** Wall-clock, for people who look at the lease; nothing is decided by it. */
  #now(): string {
    return microTimestamp(this.#options.clock.now());
  }

  /** Short enough that one request that hangs leaves time for another before the lease is lost. */
  #timeoutMs(): number {
    return this.#options.renewMs / 2;
  }
}
