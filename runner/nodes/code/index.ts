import type { Item } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { continuesOnError, errorItem, mapItemsInTurn, mustStop } from '../item-errors.ts';
import { asText } from '../json-value.ts';
import { itemFromEach, itemsFromAll } from './returned-items.ts';

export type Language = 'javaScript' | 'python';

export interface Script { language: Language; source: string }

/** Runs the script once over all items. What it throws becomes one error item, without a link to an input item, when the node goes on. */
export async function runOnAll(context: NodeContext, script: Script): Promise<Item[]> {
  try {
    return await itemsFromAll(await context.runCode({ ...script, mode: 'all' }), context.binaries);
  } catch (error) {
    if (mustStop(context, error) || !continuesOnError(context)) throw error;
    const { json, error: record } = errorItem(error, 0);
    return [record ? { json, error: record } : { json }];
  }
}

/** Runs the script once per item. */
export function runOnEach(context: NodeContext, script: Script): Promise<Item[]> {
  return mapItemsInTurn(context, async (_, itemIndex) =>
    itemFromEach(await context.runCode({ ...script, mode: 'each', itemIndex }), itemIndex, context.binaries));
}

function scriptOf(context: NodeContext): Script {
  const python = context.rawParameter('language') === 'python' || context.rawParameter('language') === 'pythonNative';
  return { language: python ? 'python' : 'javaScript', source: asText(context.rawParameter(python ? 'pythonCode' : 'jsCode')) };
}

/** Runs code over the items. */
export const codeNode: NodeType = {
  type: 'code', displayName: 'Code', group: 'data', versions: [1, 2], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Runs JavaScript or Python over the items, in a sandbox without access to files, processes or the network.',
  parameters: [
    { name: 'mode', type: 'options', options: ['runOnceForAllItems', 'runOnceForEachItem'], default: 'runOnceForAllItems', description: 'Once over all items (returns a list of items), or once per item (returns one item, or null to drop it).' },
    { name: 'language', type: 'options', options: ['javaScript', 'python', 'pythonNative'], default: 'javaScript', description: 'The language of the code.' },
    { name: 'jsCode', type: 'code', literal: true, description: 'JavaScript. `$input.all()` gives the items, `$json` the fields of the item.' },
    { name: 'pythonCode', type: 'code', literal: true, description: 'Python, when that is the language.' },
  ],
  execute: async (context) => {
    const each = context.rawParameter('mode') === 'runOnceForEachItem';
    return [await (each ? runOnEach : runOnAll)(context, scriptOf(context))];
  },
};
