import type { WorkflowDefinition } from '../runner/engine/workflow.ts';
import type { WorkflowKey } from './route.ts';

/** Stored definitions, named by the SHA-256 of their canonical JSON. */
export interface Revisions {
  /** Idempotent. `created`: it was not there before. */
  put(revision: WorkflowKey & { uid: string; definition: WorkflowDefinition }): Promise<{ revision: string; created: boolean }>;
  get(revision: string): Promise<WorkflowDefinition | undefined>;
  /**
   * Forgets revisions that no route names, no unfinished execution needs and that are not among the newest `keep` of their
   * workflow. In two passes at least 10 minutes apart, so that an execution accepted meanwhile keeps its revision. Resolves to how many went.
   */
  prune(options: { keep: number }): Promise<number>;
}
