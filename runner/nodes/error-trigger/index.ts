import type { NodeType } from '../../engine/node-type.ts';
import { startItems } from '../triggers/start-items.ts';

/** Starts an error workflow. */
export const errorTriggerNode: NodeType = {
  type: 'errorTrigger', displayName: 'Error Trigger', group: 'trigger', versions: [1], effect: 'pure', inputs: 0, outputs: ['main'],
  description: 'Starts this workflow when another one that names it in `settings.errorWorkflow` fails. The item holds `execution` (id, url, error, lastNodeExecuted, mode) and `workflow` (id, name).',
  parameters: [],
  execute: (context) => [startItems(context)],
};
