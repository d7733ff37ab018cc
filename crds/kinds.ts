import type { KindDefinition } from './kind.ts';
import { runnerPool } from './runner-pool.ts';
import { workflow } from './workflow.ts';
import { workflowRun } from './workflow-run.ts';

/** Every kind of the API, in the order in which their definitions are generated. */
export const kinds: readonly KindDefinition[] = [workflow, workflowRun, runnerPool];
