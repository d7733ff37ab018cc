import type { Item } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { Compat, OnError } from '../../engine/workflow.ts';
import { compileConditions, conditionOptions, type Predicate } from '../conditions/conditions.ts';
import { compileLegacyConditions } from '../conditions/legacy.ts';
import { conditionsParameter, ignoreCaseOption, looseParameter } from '../conditions/parameters.ts';
import { atItem, continuesOnError, errorItem } from '../item-errors.ts';

function predicate(context: NodeContext): Predicate {
  const raw = context.rawParameter('conditions');
  if (context.typeVersion >= 2) return compileConditions(context, raw, conditionOptions(context));
  return compileLegacyConditions(context, raw, context.parameter('combineConditions', 0, 'AND') === 'OR');
}

/** Keeps the items that meet the conditions. */
export const filterNode: NodeType = {
  type: 'filter', displayName: 'Filter', group: 'flow', versions: [1, 2, 2.1, 2.2, 2.3], effect: 'pure', inputs: 1, outputs: ['kept'],
  description: 'Keeps the items that meet conditions. The discarded ones are recorded behind the output, where nothing can be connected.',
  parameters: [
    conditionsParameter,
    { name: 'combineConditions', type: 'options', options: ['AND', 'OR'], default: 'AND', description: 'Version 1: whether all or any of the conditions have to hold.' },
    looseParameter,
    { name: 'options', type: 'collection', default: {}, description: `${ignoreCaseOption} \`looseTypeValidation\`: as above, where version 2 keeps it.` },
  ],
  execute(context) {
    const holds = predicate(context);
    const kept: Item[] = [];
    const discarded: Item[] = [];
    for (const [index, item] of context.input().entries()) {
      try {
        (holds(index) ? kept : discarded).push(item);
      } catch (error) {
        if (!continuesOnError(context)) throw atItem(error, index);
        if (context.compat === Compat.Millrace) kept.push(errorItem(error, index));
        else discarded.push(item);
      }
    }
    // The error output, where there is one, takes the place the discarded items are recorded at.
    return context.node.onError === OnError.ErrorOutput ? [kept] : [kept, discarded];
  },
};
