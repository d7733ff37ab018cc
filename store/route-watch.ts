import { channel, type Notifications } from './notifications.ts';
import type { Route, RouteListener, WorkflowKey } from './route.ts';

/** Messages come with the transaction that changed the route; this bounds what a lost one can do. */
const REFRESH_MS = 30_000;
const RETRY_MS = 1000;

interface Source {
  get(key: WorkflowKey): Promise<Route | undefined>;
  list(): Promise<Route[]>;
  notifications: Notifications;
  onError(error: unknown): void;
}

/**
 * Reads one thing after the other, so that the listener never sees an older state after a newer one: the whole set when connected
 * and now and then, single routes when told about them.
 */
export async function watchRoutes({ get, list, notifications, onError }: Source, listener: RouteListener): Promise<() => Promise<void>> {
  const changed = new Set<string>();
  let all = true;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function refresh(): Promise<void> {
    while (!signal.aborted && (all || changed.size > 0)) {
      if (all) {
        all = false;
        changed.clear();
        const routes = await list().catch((error: unknown) => { all = true; throw error; });
        if (!signal.aborted) listener.replace(routes);
      } else {
        const [text = ''] = changed;
        changed.delete(text);
        const [namespace = '', workflow = ''] = text.split('/');
        const route = await get({ namespace, workflow }).catch((error: unknown) => { all = true; throw error; });
        if (!signal.aborted && route) listener.put(route);
        if (!signal.aborted && !route) listener.drop({ namespace, workflow });
      }
    }
  }

  async function run(): Promise<void> {
    if (running !== undefined || signal.aborted) return running;
    clearTimeout(timer);
    let pause = REFRESH_MS;
    running = refresh();
    try {
      await running;
    } catch (error) {
      // The store is away and has been tried for a while; the last known routes stay in use.
      onError(error);
      pause = RETRY_MS;
    } finally {
      running = undefined;
      if (!signal.aborted) timer = setTimeout(() => { all = true; void run(); }, pause).unref();
    }
    if (!signal.aborted && pause === REFRESH_MS && (all || changed.size > 0)) await run();
  }

  const stop = await notifications.on(channel.routes, (notification) => {
    if (notification.kind === 'connected') all = true;
    else changed.add(notification.payload);
    void run();
  });
  all = true;
  await run();
  return async () => {
    stopping.abort();
    clearTimeout(timer);
    await stop();
    await running?.catch(() => undefined);
  };
}
