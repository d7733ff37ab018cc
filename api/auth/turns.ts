import { ApiError } from '../problem.ts';

/** Lets a bounded number of callers work at once and a bounded number wait, first come first served. */
export class Turns {
  readonly #limits: { running: number; waiting: number };
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: { running: number; waiting: number }) {
    this.#limits = limits;
  }

  /** Resolves when it is the caller's turn, who must `give` it back. Throws TooManyRequests when too many wait. */
  async take(): Promise<void> {
    if (this.#running < this.#limits.running) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.#limits.waiting) {
      throw new ApiError('TooManyRequests', 'Too many callers wait for their token to be checked.', { headers: { 'retry-after': '1' } });
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}
