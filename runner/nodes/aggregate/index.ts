import { WorkflowError } from '../../engine/error.ts';
import type { BinaryReference, Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { getField, keysOf, omitFields, pathKeys, pickFields, setPath } from '../dot-path.ts';
import { fieldList } from '../field-list.ts';
import { asObject, asObjects, asText } from '../json-value.ts';
import { textParameter } from '../parameter-value.ts';

/** All files of the items under names of their own: a second `data` becomes `data_1`. */
function collectFiles(items: readonly Item[], keepOnlyUnique: boolean): Record<string, BinaryReference> {
  const files: Record<string, BinaryReference> = {};
  const seen = new Set<string>();
  for (const { binary } of items) {
    for (const [name, file] of Object.entries(binary ?? {})) {
      if (keepOnlyUnique && seen.has(`${file.sha256} ${file.fileName ?? ''}`)) continue;
      seen.add(`${file.sha256} ${file.fileName ?? ''}`);
      let free = name;
      for (let number = 1; free in files; number++) free = `${name}_${number}`;
      files[free] = file;
    }
  }
  return files;
}

/** One list per field, over all items. */
function individualFields(context: NodeContext, options: JsonObject): JsonObject {
  const dots = options.disableDotNotation !== true;
  const json: JsonObject = {};
  const used = new Set<string>();
  for (const field of asObjects(context.parameter('fieldsToAggregate.fieldToAggregate', 0))) {
    const path = asText(field.fieldToAggregate);
    const name = field.renameField === true ? asText(field.outputFieldName) : dots ? pathKeys(path).at(-1) ?? path : path;
    if (path === '' || name === '') throw new WorkflowError('ParameterMissing', 'Every field to aggregate needs a name.', { parameter: 'fieldsToAggregate', nonRetryable: true });
    if (used.has(name)) throw new WorkflowError('ParameterMismatch', `Two fields would be written to '${name}'. Rename one of them.`, { parameter: 'fieldsToAggregate', nonRetryable: true });
    used.add(name);
    setPath(json, keysOf(name, dots), valuesOf(context.input(), path, { dots, keepMissing: options.keepMissing === true, merge: options.mergeLists === true }));
  }
  return json;
}

function valuesOf(items: readonly Item[], path: string, how: { dots: boolean; keepMissing: boolean; merge: boolean }): unknown[] {
  return items.flatMap((item) => {
    const value = getField(item.json, path, how.dots) ?? null;
    if (value === null && !how.keepMissing) return [];
    return how.merge && Array.isArray(value) ? (value as unknown[]) : [value];
  });
}

/** The items' objects as one list, whole or with some of their fields. */
function allItemData(context: NodeContext): JsonObject {
  const include = textParameter(context, 'include', 0, 'allFields');
  const chosen = fieldList(context.parameter(include === 'specifiedFields' ? 'fieldsToInclude' : 'fieldsToExclude', 0));
  const shape = (json: JsonObject): JsonObject => {
    if (include === 'specifiedFields') return pickFields(json, chosen);
    return include === 'allFieldsExcept' ? omitFields(json, chosen) : json;
  };
  const json: JsonObject = {};
  setPath(json, pathKeys(textParameter(context, 'destinationFieldName', 0, 'data')), context.input().map((item) => shape(item.json)));
  return json;
}

export function aggregate(context: NodeContext): Item[] {
  const options = asObject(context.parameter('options', 0));
  const all = context.parameter('aggregate', 0, 'aggregateIndividualFields') === 'aggregateAllItemData';
  const item: Item = { json: all ? allItemData(context) : individualFields(context, options), pairedItem: context.input().map((_, index) => ({ item: index })) };
  if (options.includeBinaries === true) {
    const binary = collectFiles(context.input(), options.keepOnlyUnique === true);
    if (Object.keys(binary).length > 0) item.binary = binary;
  }
  return [item];
}

/** Makes one item of many. */
export const aggregateNode: NodeType = {
  type: 'aggregate', displayName: 'Aggregate', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Makes one item of many: a list per field, or one list of all the items\' data.',
  parameters: [
    { name: 'aggregate', type: 'options', options: ['aggregateIndividualFields', 'aggregateAllItemData'], default: 'aggregateIndividualFields', description: 'A list per field, or a list of whole items.' },
    { name: 'fieldsToAggregate', type: 'collection', description: '`{fieldToAggregate: [{fieldToAggregate, renameField, outputFieldName}]}`. Without a new name the last part of the path is used.' },
    { name: 'destinationFieldName', type: 'string', default: 'data', description: 'aggregateAllItemData: the field that gets the list.' },
    { name: 'include', type: 'options', options: ['allFields', 'specifiedFields', 'allFieldsExcept'], default: 'allFields', description: 'aggregateAllItemData: which fields the entries have.' },
    { name: 'fieldsToInclude', type: 'string', description: 'specifiedFields: names, separated by commas.' },
    { name: 'fieldsToExclude', type: 'string', description: 'allFieldsExcept: names, separated by commas.' },
    { name: 'options', type: 'collection', default: {}, description: '`mergeLists`: join lists instead of nesting them; `keepMissing`: null for missing and null values; `disableDotNotation`; `includeBinaries` and `keepOnlyUnique`: hand files on.' },
  ],
  execute: (context) => [aggregate(context)],
};
