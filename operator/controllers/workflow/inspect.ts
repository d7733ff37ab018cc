import type { NodeTypes } from '../../../runner/engine/graph.ts';
import { checkTemplate } from '../../../runner/engine/expression/syntax.ts';
import { validateWorkflow } from '../../../runner/engine/validate.ts';
import type { WorkflowDefinition } from '../../../runner/engine/workflow.ts';
import type { RouteTrigger } from '../../../store/route.ts';
import type { Workflow } from '../resources.ts';
import type { Problem } from './problem.ts';
import { formTriggers } from './form-triggers.ts';
import { Remembered } from './remembered.ts';
import { scheduleTriggers } from './schedule-triggers.ts';
import { webhookTriggers } from './webhook-triggers.ts';

/** Bytes of a spec as JSON that are accepted: etcd, watches and caches carry every Workflow as a whole. */
export const MAX_SPEC_BYTES = 512 * 1024;

/** What is wrong in any workflow, a draft included: no later edit elsewhere puts it right. */
const ALWAYS: ReadonlySet<string> = new Set(['WorkflowTooLarge', 'NodeNameDuplicate', 'ExpressionSyntax']);

/** The same few expressions are in thousands of workflows, and most of what an inspection takes is to parse them. */
const expressions = new Remembered(checkTemplate);

export interface Inspection {
  triggers: RouteTrigger[];
  /** What keeps the workflow from being published as it is. */
  blocking: Problem[];
  /** What else is wrong: in a draft what to put right before it can be active, in any workflow what is only suspicious. */
  warnings: Problem[];
}

/** Judges a Workflow without running it. The operator and the admission webhook both ask this, so that they say the same. */
export function inspect(workflow: Pick<Workflow, 'spec'>, definition: WorkflowDefinition, nodeTypes: NodeTypes): Inspection {
  const bytes = Buffer.byteLength(JSON.stringify(workflow.spec));
  if (bytes > MAX_SPEC_BYTES) {
    const message = `The spec has ${Math.ceil(bytes / 1024)} KiB; ${MAX_SPEC_BYTES / 1024} KiB are allowed. Move large texts and pinned data out of it, or split the workflow.`;
    return { triggers: [], blocking: [{ severity: 'error', code: 'WorkflowTooLarge', message }], warnings: [] };
  }
  const webhooks = webhookTriggers(definition);
  const forms = formTriggers(definition);
  const schedules = scheduleTriggers(definition);
  // Judged as if active, to tell drafts too what activation would refuse.
  const all = [...validateWorkflow({ ...definition, active: true }, nodeTypes, (template) => expressions.of(template)), ...webhooks.problems, ...forms.problems, ...schedules.problems];
  const isBlocking = ({ severity, code }: Problem): boolean => severity === 'error' && (workflow.spec.active === true || ALWAYS.has(code));
  const triggers = [...webhooks.triggers, ...forms.triggers, ...schedules.triggers];
  return { triggers, blocking: all.filter(isBlocking), warnings: all.filter((problem) => !isBlocking(problem)) };
}
