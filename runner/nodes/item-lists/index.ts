import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { aggregate } from '../aggregate/index.ts';
import { limit } from '../limit/index.ts';
import { textParameter } from '../parameter-value.ts';
import { removeDuplicates } from '../remove-duplicates/index.ts';
import { sort } from '../sort/index.ts';
import { splitOut } from '../split-out/index.ts';
import { summarize } from '../summarize/index.ts';

type Operation = (context: NodeContext) => Item[] | Promise<Item[]>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  splitOutItems: splitOut, aggregateItems: aggregate, concatenateItems: aggregate, summarize, sort, limit, removeDuplicates,
};

/** The forerunner of Split Out, Aggregate, Summarize, Sort, Limit and Remove Duplicates. */
export const itemListsNode: NodeType = {
  type: 'itemLists', displayName: 'Item Lists', group: 'data', versions: [1, 2, 2.1, 2.2, 3, 3.1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Kept for imported workflows: does what Split Out, Aggregate, Summarize, Sort, Limit and Remove Duplicates do, with the same parameters.',
  parameters: [
    { name: 'operation', type: 'options', options: Object.keys(OPERATIONS), default: 'splitOutItems', description: 'Which of those nodes to be.' },
    { name: 'code', type: 'code', literal: true, description: 'sort: as in the Sort node.' },
  ],
  execute: async (context) => {
    const name = textParameter(context, 'operation', 0, 'splitOutItems');
    const operation = OPERATIONS[name];
    if (!operation) throw new WorkflowError('UnknownOperator', `Item Lists has no operation "${name}".`, { parameter: 'operation', nonRetryable: true });
    return [await operation(context)];
  },
};
