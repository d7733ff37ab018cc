import { durationMs } from '../engine/duration.ts';
import type { RetryBudget } from '../engine/workflow.ts';

/** Workflows whose tries are counted; of more, those that tried least recently begin anew. */
const MAX_WORKFLOWS = 10_000;

interface Bucket {
  tokens: number;
  /** Monotonic milliseconds. */
  at: number;
}

export interface RetryBudgetDeps {
  /** Milliseconds. */
  monotonic(): number;
  /** Told of every try that must not take place. */
  onRefused(): void;
}

/** How often the nodes of each workflow may be tried again on this runner: a bucket that fills evenly. */
export class RetryBudgets {
  readonly #deps: RetryBudgetDeps;
  readonly #buckets = new Map<string, Bucket>();

  constructor(deps: RetryBudgetDeps) {
    this.#deps = deps;
  }

  /** Takes one try; false when there is none left. */
  take(workflow: string, { retries, per }: RetryBudget): boolean {
    const at = this.#deps.monotonic();
    const known = this.#buckets.get(workflow);
    const filled = known ? known.tokens + ((at - known.at) / Math.max(1, durationMs(per))) * retries : retries;
    const tokens = Math.min(filled, retries);
    const taken = tokens >= 1;
    this.#buckets.delete(workflow);
    this.#buckets.set(workflow, { tokens: taken ? tokens - 1 : tokens, at });
    if (this.#buckets.size > MAX_WORKFLOWS) for (const oldest of this.#buckets.keys().take(1)) this.#buckets.delete(oldest);
    if (!taken) this.#deps.onRefused();
    return taken;
  }
}
