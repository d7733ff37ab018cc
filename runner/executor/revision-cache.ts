import type { WorkflowDefinition } from '../engine/workflow.ts';

/** What a definition is run as: parts of it that are not in its revision. */
export interface RunAs {
  id: string;
  active?: boolean;
}

/**
 * Definitions by content hash, least recently used dropped first. Holding the promise makes concurrent first uses load once; giving the same
 * object out again lets the engine compile it once.
 */
export class RevisionCache {
  readonly #entries = new Map<string, Promise<WorkflowDefinition>>();
  readonly #capacity: number;
  readonly #revisions = new WeakMap<WorkflowDefinition, string>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(revision: string, load: (revision: string) => Promise<WorkflowDefinition>, as: RunAs): Promise<WorkflowDefinition> {
    const key = `${revision} ${as.active ?? ''} ${as.id}`;
    const cached = this.#entries.get(key);
    if (cached) {
      this.#entries.delete(key);
      this.#entries.set(key, cached);
      return cached;
    }
    const loading = load(revision).then((definition) => {
      const loaded = { ...definition, ...as };
      this.#revisions.set(loaded, revision);
      return loaded;
    });
    this.#entries.set(key, loading);
    loading.catch(() => this.#entries.delete(key));
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#capacity && oldest !== undefined) this.#entries.delete(oldest);
    return loading;
  }
  /** The revision that a definition was given out as; undefined for one that was not. */
  revisionOf(definition: WorkflowDefinition): string | undefined {
    return this.#revisions.get(definition);
  }
}
