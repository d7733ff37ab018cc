import { importWorkflow } from '../../../importers/n8n/import-workflow.ts';
import { WorkflowError } from '../../engine/error.ts';
import type { WorkflowDefinition } from '../../engine/workflow.ts';
import { parseLooseJson } from '../json-text.ts';
import { asText, isObject } from '../json-value.ts';

/** A workflow that stands in a parameter, in the format that n8n exports. Throws WorkflowError InvalidJson. */
export function inlineWorkflow(value: unknown, caller: WorkflowDefinition): WorkflowDefinition {
  const json = typeof value === 'string' ? parseLooseJson(value) : value;
  if (!isObject(json) || !Array.isArray(json.nodes)) {
    throw new WorkflowError('InvalidJson', 'The inline workflow is not a JSON object with "nodes" and "connections".', { parameter: 'workflowJson', nonRetryable: true });
  }
  const id = asText(json.id) || `${caller.id}#inline`;
  return importWorkflow(json, { id, nodeTypes: new Map(), ...(caller.compat && { compat: caller.compat }) }).definition;
}
