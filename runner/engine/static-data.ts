import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from './item.ts';
import type { StaticData, StaticDataChanges } from './node-run.ts';

/** The working copy of a workflow's static data in one execution tree. Taken only when something asks for it. */
export class WorkingStaticData {
  readonly #load: () => StaticData;
  #before: StaticData | undefined;
  /** Of the run that left what was restored last. */
  #order = -1;
  #now: StaticData | undefined;

  constructor(load: () => StaticData) {
    this.#load = load;
  }

  get isUsed(): boolean {
    return this.#now !== undefined;
  }

  /** The object that a node may read and change. */
  of(scope: 'global' | 'node', node: string): JsonObject {
    const now = this.#data();
    if (scope === 'global') return now.global;
    if (!Object.hasOwn(now.nodes, node)) now.nodes[node] = {};
    return now.nodes[node] ?? {};
  }

  snapshot(): StaticData {
    return structuredClone(this.#data());
  }

  /** Takes over what a committed run left behind, unless a later one has left something. */
  restore(data: StaticData, order: number): void {
    this.#data();
    if (order < this.#order) return;
    this.#order = order;
    this.#now = structuredClone(data);
  }

  /** What has to be saved: the parts that are not as they were. */
  changes(): StaticDataChanges | undefined {
    const before = this.#before;
    const now = this.#now;
    if (!before || !now) return undefined;
    const changed = Object.entries(now.nodes).filter(([node, data]) => !isDeepStrictEqual(data, Object.hasOwn(before.nodes, node) ? before.nodes[node] : {}));
    const isGlobalChanged = !isDeepStrictEqual(now.global, before.global);
    if (!isGlobalChanged && changed.length === 0) return undefined;
    return { ...(isGlobalChanged ? { global: now.global } : {}), ...(changed.length > 0 ? { nodes: Object.fromEntries(changed) } : {}) };
  }

  #data(): StaticData {
    if (!this.#now) {
      this.#before = this.#load();
      this.#now = structuredClone(this.#before);
    }
    return this.#now;
  }
}
