import type { NodeTypes } from '../runner/engine/graph.ts';
import { definitionOf, unenforced } from '../operator/controllers/workflow/definition.ts';
import { inspect } from '../operator/controllers/workflow/inspect.ts';
import { DEFAULT_POOL } from '../operator/controllers/workflow/route.ts';
import { describeProblem, describeProblems } from '../operator/controllers/workflow/problem.ts';
import type { Workflow } from '../operator/controllers/resources.ts';
import type { Verdict } from './admission-review.ts';
import { takenPaths } from './path-claims.ts';

export interface ValidationContext {
  nodeTypes: NodeTypes;
  /** Workflows that have a webhook path. */
  owners: (claim: string) => readonly Workflow[];
  /** Says why a RunnerPool does not serve a namespace; undefined when it does. */
  poolRefusal: (pool: string, namespace: string) => string | undefined;
}

/** Judges a Workflow by the rules of its controller. Reads only, so a dry run is judged alike. */
export function validateAdmission(workflow: Workflow, { nodeTypes, owners, poolRefusal }: ValidationContext): Verdict {
  const { triggers, blocking, warnings } = inspect(workflow, definitionOf(workflow), nodeTypes);
  const taken = takenPaths(workflow, triggers, owners);
  const active = workflow.spec.active === true;
  const refused = active ? [...blocking, ...taken] : blocking;
  const shown = active ? warnings : [...warnings, ...taken];
  const foreign = poolRefusal(workflow.spec.settings?.runnerPool ?? DEFAULT_POOL, workflow.metadata.namespace ?? '');
  if (active && foreign !== undefined) return { allowed: false, message: `${foreign} (RunnerPoolNotAllowed)`, warnings: [] };
  const texts = [...(foreign === undefined ? [] : [foreign]), ...shown.map(describeProblem), ...unenforced(workflow.spec).map((field) => `spec.${field} is not enforced by this version`)];
  return refused.length === 0 ? { allowed: true, warnings: texts } : { allowed: false, message: describeProblems(refused), warnings: texts };
}
