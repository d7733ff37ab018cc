import type { WorkflowSettings } from '../../runner/engine/workflow.ts';
import { unknownKeys } from './n8n-workflow.ts';
import type { JsonRecord } from './n8n-workflow.ts';

const CALLER_POLICY: Readonly<Record<string, NonNullable<WorkflowSettings['callerPolicy']>>> = {
  any: 'any', none: 'none', workflowsFromAList: 'list', workflowsFromSameOwner: 'sameOwner',
};
const KNOWN = new Set(['executionOrder', 'timezone', 'executionTimeout', 'errorWorkflow', 'callerPolicy', 'callerIds']);

/** Our settings, and those n8n has more. Without `executionOrder` a workflow keeps n8n's legacy order. */
export function importSettings(from: JsonRecord): { settings: WorkflowSettings; unknown?: JsonRecord } {
  const { timezone, executionTimeout, errorWorkflow, callerPolicy, callerIds } = from;
  const policy = typeof callerPolicy === 'string' ? CALLER_POLICY[callerPolicy] : undefined;
  const callers = policy === 'list' && typeof callerIds === 'string' ? callerIds.split(',').map((id) => id.trim()).filter((id) => id !== '') : [];
  const settings: WorkflowSettings = {
    executionOrder: from['executionOrder'] === 'v1' ? 'v1' : 'v0',
    ...(isChosen(timezone) ? { timezone } : {}),
    ...(typeof executionTimeout === 'number' && executionTimeout > 0 ? { timeout: `${executionTimeout}s` } : {}),
    ...(isChosen(errorWorkflow) ? { errorWorkflow } : {}),
    ...(policy ? { callerPolicy: policy } : {}),
    ...(callers.length > 0 ? { callers } : {}),
  };
  const unknown = unknownKeys(from, KNOWN);
  return { settings, ...(unknown ? { unknown } : {}) };
}

function isChosen(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value !== 'DEFAULT';
}
