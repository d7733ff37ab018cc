import type { Item } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { numberParameter } from '../parameter-value.ts';

export function limit(context: NodeContext): Item[] {
  const count = Math.max(0, Math.floor(numberParameter(context, 'maxItems', 0, 1)));
  if (context.parameter('keep', 0, 'firstItems') === 'lastItems') return count === 0 ? [] : context.input().slice(-count);
  return context.input().slice(0, count);
}

/** Keeps some of the items. */
export const limitNode: NodeType = {
  type: 'limit', displayName: 'Limit', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Keeps the first or the last items.',
  parameters: [
    { name: 'maxItems', type: 'number', default: 1, description: 'How many items to keep.' },
    { name: 'keep', type: 'options', options: ['firstItems', 'lastItems'], default: 'firstItems', description: 'Which ones.' },
  ],
  execute: (context) => [limit(context)],
};
