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
  return compileLegacyConditions(context, raw, context.parameter('combineOperation', 0, 'all') === 'any');
}

/** n8n sends items it cannot judge to "false"; with an error output of its own, Millrace sends them there. */
function misfit(context: NodeContext, error: unknown, index: number, item: Item): { output: 0 | 1; item: Item } {
  if (!continuesOnError(context)) throw atItem(error, index);
  const toErrorOutput = context.node.onError === OnError.ErrorOutput && context.compat === Compat.Millrace;
  return toErrorOutput ? { output: 0, item: errorItem(error, index) } : { output: 1, item };
}

/** Sends each item to `true` or `false`. */
export const ifNode: NodeType = {
  type: 'if', displayName: 'If', group: 'flow', versions: [1, 2, 2.1, 2.2, 2.3], effect: 'pure', inputs: 1, outputs: ['true', 'false'],
  description: 'Sends each item to the output "true" or "false", depending on conditions.',
  parameters: [
    conditionsParameter,
    { name: 'combineOperation', type: 'options', options: ['all', 'any'], default: 'all', description: 'Version 1: whether all or any of the conditions have to hold.' },
    looseParameter,
    { name: 'options', type: 'collection', default: {}, description: `${ignoreCaseOption} \`looseTypeValidation\`: as above, where version 2 keeps it.` },
  ],
  execute(context) {
    const holds = predicate(context);
    const outputs: [Item[], Item[]] = [[], []];
    for (const [index, item] of context.input().entries()) {
      try {
        outputs[holds(index) ? 0 : 1].push(item);
      } catch (error) {
        const sent = misfit(context, error, index, item);
        outputs[sent.output].push(sent.item);
      }
    }
    return outputs;
  },
};
