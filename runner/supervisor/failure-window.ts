/** How far back anything is remembered, and the longest window; milliseconds. */
export const MAX_WINDOW_MS = 600_000;
const SLOT_MS = 1000;

export interface Seen {
  requests: number;
  failures: number;
}

/** Counts requests and failures by the second, to add them up over the last so many. */
export class FailureWindow {
  #slots: (Seen & { slot: number })[] = [];

  add(now: number, failed: boolean): void {
    const slot = Math.floor(now / SLOT_MS);
    let last = this.#slots.at(-1);
    if (!last || last.slot < slot) {
      last = { slot, requests: 0, failures: 0 };
      this.#slots.push(last);
      const oldest = slot - MAX_WINDOW_MS / SLOT_MS;
      if ((this.#slots[0]?.slot ?? slot) < oldest) this.#slots = this.#slots.filter((kept) => kept.slot >= oldest);
    }
    last.requests += 1;
    if (failed) last.failures += 1;
  }

  /** What was seen within the last `windowMs`, to the second. */
  within(now: number, windowMs: number): Seen {
    const first = Math.floor((now - windowMs) / SLOT_MS) + 1;
    const seen = { requests: 0, failures: 0 };
    for (let i = this.#slots.length - 1; i >= 0; i -= 1) {
      const kept = this.#slots[i];
      if (!kept || kept.slot < first) break;
      seen.requests += kept.requests;
      seen.failures += kept.failures;
    }
    return seen;
  }
}
