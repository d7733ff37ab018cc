import type { Cache, Key, Watch } from '../kube/index.ts';
import { specChanged, watch } from '../kube/index.ts';
import type { RunnerPool } from './resources.ts';

/** Whether a namespace is one of those that are listed; * stands for any part of a name. */
export function isAllowed(namespace: string, allowed: readonly string[] | undefined): boolean {
  if (allowed === undefined) return true;
  return allowed.some((pattern) => new RegExp(`^${pattern.replaceAll('*', '[-a-z0-9]*')}$`).test(namespace));
}

/** Says why a pool does not serve a namespace; undefined when it does. */
export function refusalOf(pool: string, namespace: string, allowed: readonly string[] | undefined): string | undefined {
  if (isAllowed(namespace, allowed)) return undefined;
  return `RunnerPool ${pool} does not serve namespace ${namespace}: name another one in settings.runnerPool, or have the namespace added to the pool's spec.allowedNamespaces`;
}

/** Which namespaces' workflows the pools of an installation serve. */
export class PoolAccess {
  readonly #pools: Cache<RunnerPool>;
  readonly #home: string;

  /** `home`: where the pools are. */
  constructor(pools: Cache<RunnerPool>, home: string) {
    this.#pools = pools;
    this.#home = home;
  }

  /** Undefined also for a pool that does not exist: what is queued for it waits. */
  refusal(pool: string, namespace: string): string | undefined {
    return refusalOf(pool, namespace, this.#pools.get(`${this.#home}/${pool}`)?.spec.allowedNamespaces);
  }

  /** Tells of pools that changed whom they serve. */
  watch(to: (pool: string) => readonly Key[]): Watch {
    return watch(this.#pools, { when: specChanged, to: ({ metadata }) => (metadata.namespace === this.#home ? to(metadata.name) : []) });
  }
}
