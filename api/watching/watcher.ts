import type { DatabaseLoad } from '../../store/database-load.ts';
import { LoadMeter } from '../../store/load-meter.ts';
import type { Store } from '../../store/store.ts';
import type { Bottleneck, PoolSituation } from './bottlenecks.ts';
import { bottlenecks } from './bottlenecks.ts';
import type { NodeTime } from './node-times.ts';
import { nodeTimes } from './node-times.ts';

export interface Watched {
  pools: PoolSituation[];
  database: DatabaseLoad;
  nodes: NodeTime[];
  bottlenecks: Bottleneck[];
}

export interface WatcherOptions {
  store: Pick<Store, 'queue' | 'poolSizes' | 'overview' | 'databaseLoad' | 'executions' | 'revisions' | 'now'>;
  monotonic(): number;
  sleep(ms: number): Promise<void>;
}

/** However many watch, the database is asked this often at most. */
const FRESH_MS = 1000;
/** Rates need two looks; after so long without one it begins anew. */
const FIRST_PAUSE_MS = 1000;
const STALE_MS = 120_000;
const NODES_FRESH_MS = 10_000;
const KEPT_LOOKS = 10;

/** Looks at queue, pools and database while somebody watches. Costs nothing when nobody does. */
export class Watcher {
  readonly #options: WatcherOptions;
  #meters = new Map<string, LoadMeter>();
  #looks: DatabaseLoad[] = [];
  #last: { at: number; watched: Promise<Watched> } | undefined;
  #nodes: { at: number; times: NodeTime[] } | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  look(): Promise<Watched> {
    const at = this.#options.monotonic();
    if (this.#last && at - this.#last.at < FRESH_MS) return this.#last.watched;
    const isFirst = this.#last === undefined || at - this.#last.at > STALE_MS;
    const watched = isFirst ? this.#begin() : this.#watch();
    this.#last = { at, watched };
    // The next one asks again instead of hearing of an old failure.
    watched.catch(() => { if (this.#last?.watched === watched) this.#last = undefined; });
    return watched;
  }

  async #begin(): Promise<Watched> {
    this.#meters = new Map();
    this.#looks = [];
    await this.#watch();
    await this.#options.sleep(FIRST_PAUSE_MS);
    return this.#watch();
  }

  async #watch(): Promise<Watched> {
    const { store } = this.#options;
    const [pools, database, nodes] = await Promise.all([this.#pools(), store.databaseLoad(), this.#times()]);
    this.#looks = [...this.#looks, database].slice(-KEPT_LOOKS);
    return { pools, database, nodes, bottlenecks: bottlenecks({ pools, database: this.#looks, nodes }) };
  }

  async #pools(): Promise<PoolSituation[]> {
    const { store, monotonic } = this.#options;
    const [sizes, { pools: used }] = await Promise.all([store.poolSizes.list(), store.overview()]);
    const names = [...new Set([...sizes.map(({ pool }) => pool), ...used])].sort();
    return await Promise.all(names.map(async (name) => {
      const stats = await store.queue.stats(name);
      const meter = this.#meters.get(name) ?? new LoadMeter();
      this.#meters.set(name, meter);
      const size = sizes.find(({ pool }) => pool === name);
      return {
        name, load: meter.add(monotonic(), stats), slots: stats.reports.reduce((sum, { slots }) => sum + slots, 0), blocked: stats.blocked,
        paused: stats.paused, ...(size && { size }),
      };
    }));
  }

  async #times(): Promise<NodeTime[]> {
    const { store, monotonic } = this.#options;
    if (this.#nodes && monotonic() - this.#nodes.at < NODES_FRESH_MS) return this.#nodes.times;
    this.#nodes = { at: monotonic(), times: await nodeTimes(store, store.now()) };
    return this.#nodes.times;
  }
}
