import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { omitFields, pickFields } from '../dot-path.ts';
import { fieldList } from '../field-list.ts';
import { mapItems } from '../item-errors.ts';
import { asObject } from '../json-value.ts';
import { flagParameter, numberParameter } from '../parameter-value.ts';
import { compileFields } from './fields.ts';
import { compileRawJson, literalJsonProblems } from './raw-json.ts';

type Include = 'all' | 'none' | 'selected' | 'except';

function includeOf(context: NodeContext, itemIndex: number): Include {
  if (context.typeVersion < 3) return flagParameter(context, 'keepOnlySet', itemIndex) ? 'none' : 'all';
  if (context.typeVersion >= 3.3 && !flagParameter(context, 'includeOtherFields', itemIndex)) return 'none';
  const include = context.parameter('include', itemIndex, 'all');
  return include === 'none' || include === 'selected' || include === 'except' ? include : 'all';
}

/** A new object with the kept fields of the input. */
function keptFields(context: NodeContext, json: JsonObject, itemIndex: number): JsonObject {
  const include = includeOf(context, itemIndex);
  if (include === 'all') return { ...json };
  if (include === 'none') return {};
  const dots = asObject(context.rawParameter('options')).dotNotation !== false;
  if (include === 'selected') return pickFields(json, fieldList(context.parameter('includeFields', itemIndex, '')), dots);
  return omitFields(json, fieldList(context.parameter('excludeFields', itemIndex, '')), dots);
}

/** Whether the files beside the items go on. */
function keepsBinary(context: NodeContext): boolean {
  const options = asObject(context.rawParameter('options'));
  if (context.typeVersion >= 3.4) return options.stripBinary === false && includeOf(context, 0) !== 'none';
  if (context.typeVersion >= 3) return options.includeBinary !== false;
  return includeOf(context, 0) === 'all';
}

function copies(context: NodeContext): number {
  if (context.mode !== 'Manual' || !flagParameter(context, 'duplicateItem', 0)) return 1;
  return 1 + Math.max(0, numberParameter(context, 'duplicateCount', 0, 0));
}

/** Sets, adds or replaces fields. */
export const setNode: NodeType = {
  type: 'set', displayName: 'Edit Fields (Set)', group: 'data', versions: [1, 2, 3, 3.1, 3.2, 3.3, 3.4], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Sets fields of each item, or builds the item from JSON.',
  parameters: [
    { name: 'mode', type: 'options', options: ['manual', 'raw'], default: 'manual', description: 'Field by field, or one JSON object.' },
    { name: 'assignments', type: 'assignments', description: 'Mode manual: `{assignments: [{name, value, type}]}`; type is string, number, boolean, array or object. Names may be dotted paths.' },
    { name: 'jsonOutput', type: 'json', default: '{}', description: 'Mode raw: the JSON object, as text or from an expression.' },
    { name: 'includeOtherFields', type: 'boolean', default: false, description: 'Keep fields of the input beside the ones set here.' },
    { name: 'include', type: 'options', options: ['all', 'selected', 'except', 'none'], default: 'all', description: 'Which fields of the input to keep. `none` belongs to versions before 3.3.' },
    { name: 'includeFields', type: 'string', description: 'include selected: names, separated by commas.' },
    { name: 'excludeFields', type: 'string', description: 'include except: names, separated by commas.' },
    { name: 'fields', type: 'collection', description: 'Versions 3 to 3.2: `{values: [{name, type: "stringValue", stringValue}]}`.' },
    { name: 'values', type: 'collection', description: 'Versions 1 and 2: `{string: [{name, value}], number: […], boolean: […]}`.' },
    { name: 'keepOnlySet', type: 'boolean', default: false, description: 'Versions 1 and 2: drop the fields of the input.' },
    { name: 'duplicateItem', type: 'boolean', default: false, description: 'Manual runs only: give each item several times, to try things out.' },
    { name: 'duplicateCount', type: 'number', default: 0, description: 'How many more of each item.' },
    { name: 'options', type: 'collection', default: {}, description: '`dotNotation` (on): names with dots are paths. `ignoreConversionErrors`: keep values that do not fit their type. `stripBinary` (on), before 3.4 `includeBinary` (on): whether files go on.' },
  ],
  problems: literalJsonProblems,
  execute(context) {
    const raw = context.parameter('mode', 0, 'manual') === 'raw' && context.typeVersion >= 3;
    const rawJson = raw ? compileRawJson(context) : undefined;
    const assign = raw ? undefined : compileFields(context);
    const withBinary = keepsBinary(context);
    const times = copies(context);
    return [mapItems(context, (item, index) => {
      const json = keptFields(context, item.json, index);
      if (rawJson) Object.assign(json, rawJson(index));
      assign?.(json, index);
      const made: Item = { json, pairedItem: { item: index } };
      if (withBinary && item.binary) made.binary = item.binary;
      return times === 1 ? made : Array.from({ length: times }, () => ({ ...made }));
    })];
  },
};
