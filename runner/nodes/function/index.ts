import type { NodeType } from '../../engine/node-type.ts';
import { runOnAll, runOnEach } from '../code/index.ts';
import { asText } from '../json-value.ts';

const source = (code: unknown): string => asText(code);

/** The Code node's forerunner for all items. */
export const functionNode: NodeType = {
  type: 'function', displayName: 'Function', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Runs JavaScript over all items. Kept for imported workflows; use Code in new ones.',
  parameters: [{ name: 'functionCode', type: 'code', literal: true, description: 'JavaScript that gets `items` and returns a list of items.' }],
  execute: async (context) => [await runOnAll(context, { language: 'javaScript', source: source(context.rawParameter('functionCode')) })],
};

/** The Code node's forerunner for each item: `item` is the item's JSON, not the item. */
export const functionItemNode: NodeType = {
  type: 'functionItem', displayName: 'Function Item', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Runs JavaScript once per item. Kept for imported workflows; use Code in new ones.',
  parameters: [{ name: 'functionCode', type: 'code', literal: true, description: 'JavaScript that gets the fields of the item as `item` and returns them.' }],
  // On one line with the user's first line, so that line numbers in errors are theirs.
  execute: async (context) => [await runOnEach(context, {
    language: 'javaScript', source: `const __json = await (async function (item) { ${source(context.rawParameter('functionCode'))}\n}).call(this, $input.item.json); return __json === undefined || __json === null ? __json : { json: __json };`,
  })],
};
