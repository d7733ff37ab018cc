import type { RunnerPoolSpec } from '../../../crds/runner-pool.ts';
import { StoreError } from '../../../store/error.ts';
import { isolatedPool } from '../../../store/pool-name.ts';
import type { PoolSizeRecord } from '../../../store/pool-sizes.ts';
import type { Store } from '../../../store/store.ts';
import type { PoolSize } from './pool-sizes.ts';
import { isolatedRulesOf, rulesOf } from './rules.ts';

/** Keeps in the database what pools say of themselves: the rules of their queues for those who claim, their sizes for those who watch. */
export class PoolRecords {
  readonly #store: Pick<Store, 'pools' | 'poolSizes'>;
  /** What was written last, so that nothing is written when nothing changed. */
  readonly #written = new Map<string, string>();

  constructor(store: Pick<Store, 'pools' | 'poolSizes'>) {
    this.#store = store;
  }

  /** Resolves to false when the database does not answer: ask again. */
  async put(pool: string, spec: RunnerPoolSpec, { replicas, bounds, lastChange }: PoolSize): Promise<boolean> {
    const rules = rulesOf(spec);
    const record: PoolSizeRecord = { pool, desired: replicas, ...bounds, ...(lastChange && { change: lastChange }) };
    const text = JSON.stringify([rules, record]);
    if (this.#written.get(pool) === text) return true;
    return await this.#try(async () => {
      await this.#store.pools.apply(pool, rules);
      await this.#store.pools.apply(isolatedPool(pool), isolatedRulesOf(rules));
      await this.#store.poolSizes.put(record);
      this.#written.set(pool, text);
    });
  }

  /** The pool is gone; what an administrator has set for it stays. */
  async remove(pool: string): Promise<boolean> {
    this.#written.delete(pool);
    return await this.#try(async () => {
      await this.#store.pools.apply(pool, {});
      await this.#store.pools.apply(isolatedPool(pool), {});
      await this.#store.poolSizes.remove(pool);
    });
  }

  async #try(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (err) {
      if (err instanceof StoreError) return false;
      throw err;
    }
  }
}
