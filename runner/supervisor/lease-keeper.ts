import type { Lease, Renewed, RenewOptions, RunnerLoad } from '../../store/lease.ts';

export interface LeaseKeeperDeps {
  renew(options: RenewOptions): Promise<Renewed>;
  leases(): Lease[];
  load(): RunnerLoad;
  /** The named executions belong to somebody else, or were canceled by a user. */
  onRenewed(renewed: Renewed): void;
  /** No renewal came through for so long that every lease may have ended. */
  onExpired(error: unknown): void;
  /** Milliseconds on a clock that never jumps. */
  monotonic(): number;
}

/** How long before the end of the lease a runner that cannot renew stops its work, as a part of the lease. */
const SAFETY = 0.2;
const BEATS_PER_LEASE = 5;

/**
 * Renews the runner's lease. When the database cannot be reached, it says so before the lease ends by the database's
 * clock, so that this runner has stopped its effects by the time another one takes the work over.
 */
export class LeaseKeeper {
  readonly #deps: LeaseKeeperDeps;
  readonly #runner: string;
  readonly #leaseMs: number;
  #timer: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #renewing = false;
  #lastError: unknown;

  constructor(runner: string, leaseMs: number, deps: LeaseKeeperDeps) {
    this.#runner = runner;
    this.#leaseMs = leaseMs;
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#beat(), this.#leaseMs / BEATS_PER_LEASE);
    this.#armExpiry(this.#deps.monotonic());
  }

  stop(): void {
    clearInterval(this.#timer);
    clearTimeout(this.#expiry);
  }

  async #beat(): Promise<void> {
    if (this.#renewing) return;
    this.#renewing = true;
    const sentAt = this.#deps.monotonic();
    try {
      const renewed = await this.#deps.renew({ runner: this.#runner, leases: this.#deps.leases(), leaseMs: this.#leaseMs, load: this.#deps.load() });
      this.#armExpiry(sentAt);
      this.#deps.onRenewed(renewed);
    } catch (error) {
      this.#lastError = error;
    } finally {
      this.#renewing = false;
    }
  }

  /** The lease runs from when the request was sent, at the earliest: the database may have set it then. */
  #armExpiry(sentAt: number): void {
    clearTimeout(this.#expiry);
    const left = sentAt + this.#leaseMs * (1 - SAFETY) - this.#deps.monotonic();
    this.#expiry = setTimeout(() => {
      this.#deps.onExpired(this.#lastError);
      this.#armExpiry(this.#deps.monotonic());
    }, Math.max(0, left));
  }
}
