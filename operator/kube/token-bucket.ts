/** Allows `burst` at once and `perSecond` in the long run. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #monotonic: () => number;
  #tokens: number;
  #at: number;

  constructor(options: { perSecond: number; burst: number }, monotonic: () => number) {
    this.#perMs = options.perSecond / 1000;
    this.#burst = options.burst;
    this.#monotonic = monotonic;
    this.#tokens = options.burst;
    this.#at = monotonic();
  }

  /** Takes a token that is there or will be; returns the milliseconds to wait for it. */
  reserve(): number {
    this.#refill();
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.#perMs;
  }

  /** Takes a token only if one is there. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whole tokens that are there now. */
  get available(): number {
    this.#refill();
    return Math.max(0, Math.floor(this.#tokens));
  }

  #refill(): void {
    const now = this.#monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
