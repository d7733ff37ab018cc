import type { WorkflowSpec } from '../../../crds/workflow.ts';
import type { WorkflowDefinition, WorkflowSettings } from '../../../runner/engine/workflow.ts';
import type { Workflow } from '../resources.ts';

/**
 * What the engine runs, and what a revision is the hash of. Only what changes how an execution runs is in it: activating a workflow, its
 * folder, pool or priority make no new revision.
 */
export function definitionOf({ metadata, spec }: Pick<Workflow, 'metadata' | 'spec'>): WorkflowDefinition {
  const settings = engineSettings(spec.settings ?? {});
  return {
    id: `${metadata.namespace ?? ''}/${metadata.name}`,
    name: spec.displayName ?? metadata.name,
    nodes: spec.nodes,
    connections: spec.connections ?? [],
    ...(spec.compat === undefined ? {} : { compat: spec.compat }),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    ...(spec.pinData === undefined ? {} : { pinData: spec.pinData }),
  };
}

function engineSettings(settings: NonNullable<WorkflowSpec['settings']>): WorkflowSettings {
  const { executionOrder, parallelBranches, timezone, timeout, errorWorkflow, callerPolicy, callers, circuitBreaker, retryBudget, compensationTimeout, transaction } = settings;
  return {
    ...(executionOrder === undefined ? {} : { executionOrder }),
    ...(parallelBranches === undefined ? {} : { parallelBranches }),
    ...(timezone === undefined ? {} : { timezone }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(errorWorkflow === undefined ? {} : { errorWorkflow }),
    ...(callerPolicy === undefined ? {} : { callerPolicy }),
    ...(callers === undefined ? {} : { callers }),
    ...(circuitBreaker === undefined ? {} : { circuitBreaker }),
    ...(retryBudget === undefined ? {} : { retryBudget }),
    ...(transaction === undefined ? {} : { transaction }),
    ...(compensationTimeout === undefined ? {} : { compensationTimeout }),
  };
}

/** Fields that this version accepts and does not act on yet; told to the user instead of being ignored in silence. */
export function unenforced({ settings }: WorkflowSpec): string[] {
  return settings?.save?.progress === undefined ? [] : ['settings.save.progress'];
}
