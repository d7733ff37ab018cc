import type { Store } from '../../store/store.ts';
import { RouteTable } from './route-table.ts';
import type { FormRoute, RouteMatch } from './route-table.ts';

/** How long after one look into the store a miss is believed without another. */
const missTtlMs = 2000;

export interface RouteFinder {
  find(namespace: string, method: string, segments: readonly string[]): Promise<RouteMatch | undefined>;
  findForm(namespace: string, path: string): Promise<FormRoute | undefined>;
  /** Workflows with a route. */
  size(): number;
  stop(): Promise<void>;
}

/**
 * Webhook routes from memory, kept current by the store's messages. A miss may be a route that was written a moment ago: the
 * store is asked then, once for all who miss at the same time and at most every two seconds, so that calls of made-up paths cost
 * nothing. Resolves after the first full read.
 */
export async function routeFinder(routes: Pick<Store['routes'], 'watch' | 'list'>, monotonic: () => number): Promise<RouteFinder> {
  const table = new RouteTable();
  const stop = await routes.watch(table);
  let lookedAt = monotonic();
  let looking: Promise<void> | undefined;

  async function lookAgain(): Promise<void> {
    try {
      table.replace(await routes.list());
    } finally {
      lookedAt = monotonic();
      looking = undefined;
    }
  }

  const isDue = (): boolean => looking !== undefined || monotonic() - lookedAt >= missTtlMs;

  return {
    async find(namespace, method, segments) {
      const known = table.find(namespace, method, segments);
      const settled = known !== undefined && (known.webhook !== undefined || method === 'OPTIONS' || method === 'HEAD');
      if (settled || !isDue()) return known;
      await (looking ??= lookAgain());
      return table.find(namespace, method, segments);
    },
    async findForm(namespace, path) {
      const known = table.findForm(namespace, path);
      if (known || !isDue()) return known;
      await (looking ??= lookAgain());
      return table.findForm(namespace, path);
    },
    size: () => table.size,
    stop,
  };
}
