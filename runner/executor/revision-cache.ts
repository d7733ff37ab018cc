import type { WorkflowDefinition } from '../engine/workflow.ts';

/** Definitions by content hash, least recently used dropped first. Holding the promise makes concurrent first uses load once. */
export class RevisionCache {
  readonly #entries = new Map<string, Promise<WorkflowDefinition>>();
  readonly #capacity: number;
  readonly #load: (revision: string, assignment: string) => Promise<WorkflowDefinition>;

  constructor(capacity: number, load: (revision: string, assignment: string) => Promise<WorkflowDefinition>) {
    this.#capacity = capacity;
    this.#load = load;
  }

  get(revision: string, assignment: string): Promise<WorkflowDefinition> {
    const cached = this.#entries.get(revision);
    if (cached) {
      this.#entries.delete(revision);
      this.#entries.set(revision, cached);
      return cached;
    }
    const loading = this.#load(revision, assignment);
    this.#entries.set(revision, loading);
    loading.catch(() => this.#entries.delete(revision));
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#capacity && oldest !== undefined) this.#entries.delete(oldest);
    return loading;
  }
}
