import type { Route, RouteListener, Routes, WorkflowKey } from '../../../store/route.ts';
import type { Key, Watch } from '../../kube/index.ts';

/** The routes as the store has them, in memory: ten thousand workflows that need nothing cost no query. */
export class RouteMirror {
  readonly #routes = new Map<Key, Route>();
  readonly #listeners = new Set<(key: Key) => void>();

  get(key: Key): Route | undefined {
    return this.#routes.get(key);
  }

  /** Keys of workflows whose route changed; first all that have one. */
  readonly watch: Watch = {
    start: (sink) => {
      const enqueue = (key: Key): void => sink.enqueue(key);
      this.#listeners.add(enqueue);
      for (const key of this.#routes.keys()) enqueue(key);
      return () => this.#listeners.delete(enqueue);
    },
  };

  /** Resolves, once all routes are there, to a function that stops it. */
  start(routes: Pick<Routes, 'watch'>): Promise<() => Promise<void>> {
    const listener: RouteListener = {
      replace: (all) => {
        const next = new Map(all.map((route) => [keyOfRoute(route), route]));
        for (const key of this.#routes.keys()) if (!next.has(key)) this.drop(key);
        for (const [key, route] of next) this.put(key, route);
      },
      put: (route) => this.put(keyOfRoute(route), route),
      drop: (key) => this.drop(keyOfRoute(key)),
    };
    return routes.watch(listener);
  }

  /** What this process has just written, or the store has told. */
  put(key: Key, route: Route): void {
    if (this.#routes.get(key)?.epoch === route.epoch) return;
    this.#routes.set(key, route);
    this.#tell(key);
  }

  drop(key: Key): void {
    if (this.#routes.delete(key)) this.#tell(key);
  }

  #tell(key: Key): void {
    for (const listener of this.#listeners) listener(key);
  }
}

function keyOfRoute({ namespace, workflow }: WorkflowKey): Key {
  return `${namespace}/${workflow}`;
}
