import type { NodeType } from '../../engine/node-type.ts';
import { startItems } from '../triggers/start-items.ts';

/** Starts a run by hand. */
export const manualTriggerNode: NodeType = {
  type: 'manualTrigger', displayName: 'Manual Trigger', group: 'trigger', versions: [1], effect: 'pure', inputs: 0, outputs: ['main'],
  description: 'Starts the workflow when somebody runs it by hand.',
  parameters: [],
  execute: (context) => [startItems(context)],
};
