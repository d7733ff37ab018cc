import { StoreError, StoreReason } from './error.ts';

/** A batch of so many has shown that there is company to wait for. */
const COMPANY = 4;

export interface CoalesceOptions {
  /** Batches under way at the same time. */
  concurrency: number;
  /** Size of a batch. */
  max: number;
  /**
   * Milliseconds from a batch that had company to the next one, at least: most of what a small batch costs does not depend on its size. Default 0.
   * Calls that come one by one never wait.
   */
  everyMs?: number;
}

/**
 * Turns many calls with one thing each into few calls with arrays. A call goes out at once while fewer than `concurrency` are under way and
 * the last batch was small, and what arrives meanwhile forms the next batch of at most `max`. `run` answers in order.
 */
export function coalesce<In, Out>(run: (batch: readonly In[]) => Promise<readonly Out[]>, options: CoalesceOptions): (one: In) => Promise<Out> {
  const { concurrency, max, everyMs = 0 } = options;
  const waiting: { one: In; resolve(out: Out): void; reject(error: unknown): void }[] = [];
  let active = 0;
  let scheduled = false;
  let gathering: NodeJS.Timeout | undefined;
  let notBefore = 0;

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, max);
    active += 1;
    notBefore = batch.length < COMPANY ? 0 : performance.now() + everyMs;
    try {
      const results = await run(batch.map(({ one }) => one));
      if (results.length !== batch.length) throw new RangeError(`A batch of ${batch.length} was answered with ${results.length} results`);
      results.forEach((result, index) => batch[index]?.resolve(result));
    } catch (error) {
      if (batch.length > 1 && error instanceof StoreError && error.code === StoreReason.PayloadRefused) await oneByOne(batch);
      else for (const { reject } of batch) reject(error);
    } finally {
      active -= 1;
      pump();
    }
  }

  /** A value that cannot be stored must not keep its neighbours from being stored. */
  async function oneByOne(batch: typeof waiting): Promise<void> {
    for (const { one, resolve, reject } of batch) await run([one]).then(([result]) => { resolve(result as Out); }, reject);
  }

  function pump(): void {
    scheduled = false;
    clearTimeout(gathering);
    while (active < concurrency && waiting.length > 0) {
      const early = notBefore - performance.now();
      if (early > 0 && waiting.length < max) {
        gathering = setTimeout(pump, early);
        return;
      }
      void flush();
    }
  }

  return async (one) => new Promise((resolve, reject) => {
    waiting.push({ one, resolve, reject });
    if (scheduled) return;
    scheduled = true;
    // Everything that arrives in this turn of the event loop goes out together.
    setImmediate(pump);
  });
}
