import type { ExecutionMode } from './node-run.ts';

/** n8n's words for how an execution started: `$mode`, and what an error workflow is told. */
export const MODE_NAMES: Readonly<Record<ExecutionMode, string>> = {
  Manual: 'manual', Webhook: 'webhook', Schedule: 'trigger', Api: 'cli', SubWorkflow: 'integrated', Error: 'error', Retry: 'retry',
};
