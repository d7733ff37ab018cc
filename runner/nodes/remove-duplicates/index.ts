import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { Compat } from '../../engine/workflow.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { getField, omitFields, pickFields } from '../dot-path.ts';
import { fieldList } from '../field-list.ts';
import { asObject } from '../json-value.ts';
import { textParameter } from '../parameter-value.ts';
import { stableKey } from '../stable-key.ts';
import { clearHistory, removeSeen } from './history.ts';

/** The part of an item that decides whether it is a duplicate. */
function comparedPart(context: NodeContext): (json: JsonObject) => JsonObject {
  const dots = asObject(context.parameter('options', 0)).disableDotNotation !== true;
  const compare = textParameter(context, 'compare', 0, 'allFields');
  const named = (path: string): string[] => {
    const fields = fieldList(context.parameter(path, 0));
    if (fields.length > 0) return fields;
    throw new WorkflowError('ParameterMissing', 'Name at least one field to compare by.', { parameter: path, nonRetryable: true });
  };
  if (compare === 'selectedFields') {
    const fields = named('fieldsToCompare');
    checkPresence(context.input(), fields, dots);
    return (json) => pickFields(json, fields, dots);
  }
  if (compare === 'allFieldsExcept') {
    const fields = named('fieldsToExclude');
    return (json) => omitFields(json, fields, dots);
  }
  return (json) => json;
}

function checkPresence(items: readonly Item[], fields: readonly string[], dots: boolean): void {
  for (const field of fields) {
    const itemIndex = items.findIndex((item) => getField(item.json, field, dots) === undefined);
    if (itemIndex >= 0) throw new WorkflowError('FieldMissing', `Item ${itemIndex} has no field '${field}'. Check its name, or remove such items before.`, { itemIndex, parameter: 'fieldsToCompare' });
  }
}

export function removeDuplicates(context: NodeContext): Item[] {
  const part = comparedPart(context);
  const onlyCompared = asObject(context.parameter('options', 0)).removeOtherFields === true;
  const seen = new Set<string>();
  return context.input().flatMap((item, index) => {
    const compared = part(item.json);
    const key = stableKey(compared);
    if (seen.has(key)) return [];
    seen.add(key);
    if (!onlyCompared) return [item];
    // n8n numbers such items by their place in the output.
    return [{ ...item, json: { ...compared }, pairedItem: { item: context.compat === Compat.Millrace ? index : seen.size - 1 } }];
  });
}

/** Whether it remembers items over executions. */
function looksBack({ parameters }: WorkflowNode): boolean {
  return (parameters?.operation ?? 'removeDuplicateInputItems') !== 'removeDuplicateInputItems';
}

/** Drops items that are there twice. */
export const removeDuplicatesNode: NodeType = {
  type: 'removeDuplicates', displayName: 'Remove Duplicates', group: 'data', versions: [1, 1.1, 2], inputs: 1, outputs: ['main'],
  effect: (node) => (looksBack(node) ? 'effectful' : 'pure'),
  description: 'Drops items that are there twice, or that earlier executions have seen.',
  shares: (node) => (looksBack(node) ? ['staticData'] : []),
  parameters: [
    { name: 'operation', type: 'options', options: ['removeDuplicateInputItems', 'removeItemsSeenInPreviousExecutions', 'clearDeduplicationHistory'], default: 'removeDuplicateInputItems', description: 'Version 2: look at this input only, look at earlier executions too, or forget them.' },
    { name: 'compare', type: 'options', options: ['allFields', 'allFieldsExcept', 'selectedFields'], default: 'allFields', description: 'Which fields make two items the same.' },
    { name: 'fieldsToCompare', type: 'string', description: 'selectedFields: names, separated by commas.' },
    { name: 'fieldsToExclude', type: 'string', description: 'allFieldsExcept: names, separated by commas.' },
    { name: 'logic', type: 'options', options: ['removeItemsWithAlreadySeenKeyValues', 'removeItemsUpToStoredIncrementalKey', 'removeItemsUpToStoredDate'], default: 'removeItemsWithAlreadySeenKeyValues', description: 'removeItemsSeenInPreviousExecutions: known values, or everything up to the largest number or latest date so far.' },
    { name: 'dedupeValue', type: 'string', description: 'The value of the item that is remembered.' },
    { name: 'incrementalDedupeValue', type: 'number', description: 'The growing number that is remembered.' },
    { name: 'dateDedupeValue', type: 'dateTime', description: 'The date that is remembered.' },
    { name: 'options', type: 'collection', default: {}, description: '`removeOtherFields`: keep only the compared fields; `disableDotNotation`; `scope`: node or workflow; `historySize` (10,000): how many values are remembered.' },
  ],
  execute(context) {
    const operation = textParameter(context, 'operation', 0, 'removeDuplicateInputItems');
    if (operation === 'removeItemsSeenInPreviousExecutions') return removeSeen(context);
    if (operation === 'clearDeduplicationHistory') return clearHistory(context);
    return [removeDuplicates(context)];
  },
};
