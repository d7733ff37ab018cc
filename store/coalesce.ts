import { StoreError, StoreReason } from './error.ts';

/**
 * Turns many calls with one thing each into few calls with arrays. Nothing waits for company: a call goes out at once while fewer
 * than `concurrency` are under way, and what arrives meanwhile forms the next batch of at most `max`. `run` answers in order.
 */
export function coalesce<In, Out>(
  run: (batch: readonly In[]) => Promise<readonly Out[]>,
  options: { concurrency: number; max: number },
): (one: In) => Promise<Out> {
  const waiting: { one: In; resolve(out: Out): void; reject(error: unknown): void }[] = [];
  let active = 0;
  let scheduled = false;

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, options.max);
    active += 1;
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
    while (active < options.concurrency && waiting.length > 0) void flush();
  }

  return async (one) => new Promise((resolve, reject) => {
    waiting.push({ one, resolve, reject });
    if (scheduled) return;
    scheduled = true;
    // Everything that arrives in this turn of the event loop goes out together.
    setImmediate(pump);
  });
}
