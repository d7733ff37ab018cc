import { channel, type Notifications } from './notifications.ts';
import type { Route, RouteListener, WorkflowKey } from './route.ts';

/** Messages come with the transaction that changed the route; this bounds what a lost one can do. */
const REFRESH_MS = 30_000;
const RETRY_MS = 1000;

/** Count and sum of epochs: another one after every change, since each gives a route a new epoch. */
export interface RouteStamp {
  routes: number;
  epochs: number;
}

interface Source {
  get(key: WorkflowKey): Promise<Route | undefined>;
  list(): Promise<Route[]>;
  stamp(): Promise<RouteStamp>;
  notifications: Notifications;
  onError(error: unknown): void;
}

/** The stamp of what the listener has been told, kept up to date route by route. */
class Told {
  readonly #epochs = new Map<string, number>();
  #sum = 0;

  replace(routes: readonly Route[]): void {
    this.#epochs.clear();
    this.#sum = 0;
    for (const { namespace, workflow, epoch } of routes) this.set(`${namespace}/${workflow}`, epoch);
  }

  set(key: string, epoch: number | undefined): void {
    this.#sum += (epoch ?? 0) - (this.#epochs.get(key) ?? 0);
    if (epoch === undefined) this.#epochs.delete(key);
    else this.#epochs.set(key, epoch);
  }

  is({ routes, epochs }: RouteStamp): boolean {
    return routes === this.#epochs.size && epochs === this.#sum;
  }
}

/**
 * Reads one thing after the other, so that the listener never sees an older state after a newer one: the whole set when connected, single
 * routes when told about them, and now and then a stamp that tells whether a message was lost. Reading ten thousand routes for
 * nothing would hold up everything else in this process for a tenth of a second.
 */
export async function watchRoutes({ get, list, stamp, notifications, onError }: Source, listener: RouteListener): Promise<() => Promise<void>> {
  const changed = new Set<string>();
  const told = new Told();
  let all = true;
  let doubtful = false;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function refresh(): Promise<void> {
    while (!signal.aborted && (all || doubtful || changed.size > 0)) {
      if (all) await readAll();
      else if (changed.size > 0) await readOne();
      else {
        doubtful = false;
        const current = await orElseAll(stamp());
        all = !told.is(current);
      }
    }
  }

  /** What could not be read may be anything: the next try reads everything. */
  async function orElseAll<T>(reading: Promise<T>): Promise<T> {
    return reading.catch((error: unknown) => { all = true; throw error; });
  }

  async function readAll(): Promise<void> {
    all = false;
    doubtful = false;
    changed.clear();
    const routes = await orElseAll(list());
    if (signal.aborted) return;
    told.replace(routes);
    listener.replace(routes);
  }

  async function readOne(): Promise<void> {
    const [text = ''] = changed;
    changed.delete(text);
    const [namespace = '', workflow = ''] = text.split('/');
    const route = await orElseAll(get({ namespace, workflow }));
    if (signal.aborted) return;
    told.set(text, route?.epoch);
    if (route) listener.put(route);
    else listener.drop({ namespace, workflow });
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
      if (!signal.aborted) timer = setTimeout(() => { doubtful = true; void run(); }, pause).unref();
    }
    if (!signal.aborted && pause === REFRESH_MS && (all || doubtful || changed.size > 0)) await run();
  }

  const stop = await notifications.on(channel.routes, (notification) => {
    if (notification.kind === 'connected') all = true;
    else changed.add(notification.payload);
    void run();
  });
  await run();
  return async () => {
    stopping.abort();
    clearTimeout(timer);
    await stop();
    await running?.catch(() => undefined);
  };
}
