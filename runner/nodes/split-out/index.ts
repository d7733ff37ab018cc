import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { getField, omitFields, pickFields } from '../dot-path.ts';
import { fieldList } from '../field-list.ts';
import { asObject, asText, isObject } from '../json-value.ts';
import { missingParameters } from '../missing-parameters.ts';
import { textParameter } from '../parameter-value.ts';

interface Request {
  fields: string[];
  /** Names of the fields in the output, where they differ. */
  destinations: string[];
  include: string;
  included: string[];
  dots: boolean;
  includeBinary: boolean;
}

function requestOf(context: NodeContext, itemIndex: number): Request {
  const options = asObject(context.parameter('options', itemIndex));
  const fields = fieldList(context.parameter('fieldToSplitOut', itemIndex)).map((field) => field.replace(/^\$json\./, ''));
  if (fields.length === 0) throw new WorkflowError('ParameterMissing', 'Name the field whose list is to be split out.', { parameter: 'fieldToSplitOut', nonRetryable: true });
  const destinations = fieldList(options.destinationFieldName);
  if (destinations.length > 0 && destinations.length !== fields.length) {
    throw new WorkflowError('ParameterMismatch', `There are ${fields.length} fields to split out but ${destinations.length} destination names. Give one for each.`, { parameter: 'options.destinationFieldName', nonRetryable: true });
  }
  return {
    fields, destinations, include: textParameter(context, 'include', itemIndex, 'noOtherFields'),
    included: fieldList(context.parameter('fieldsToInclude', itemIndex)),
    dots: options.disableDotNotation !== true, includeBinary: options.includeBinary === true,
  };
}

/** The entries of a list or an object; anything else is one entry, a missing field none. */
function entriesOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [value];
}

function otherFields(json: JsonObject, request: Request): JsonObject {
  if (request.include === 'allOtherFields') return omitFields(json, request.fields, request.dots);
  return request.include === 'selectedOtherFields' ? pickFields(json, request.included, request.dots) : {};
}

function splitItem(item: Item, itemIndex: number, request: Request): Item[] {
  const columns = request.fields.map((field) => entriesOf(getField(item.json, field, request.dots)));
  // An object stands for itself when it is alone: its fields become the item's.
  const spread = request.fields.length === 1 && request.include === 'noOtherFields' && request.destinations.length === 0;
  const others = otherFields(item.json, request);
  return Array.from({ length: Math.max(...columns.map((column) => column.length)) }, (_, row) => {
    const made: Item = { json: rowOf(columns, row, { request, others, spread }), pairedItem: { item: itemIndex } };
    if (request.includeBinary && item.binary) made.binary = item.binary;
    return made;
  });
}

function rowOf(columns: readonly (readonly unknown[])[], row: number, how: { request: Request; others: JsonObject; spread: boolean }): JsonObject {
  const only = columns[0]?.[row];
  if (how.spread && isObject(only)) return { ...only };
  const json: JsonObject = { ...how.others };
  for (const [position, column] of columns.entries()) {
    if (row >= column.length) continue;
    json[how.request.destinations[position] ?? asText(how.request.fields[position])] = column[row];
  }
  return json;
}

export const splitOut = (context: NodeContext): Item[] =>
  context.input().flatMap((item, index) => splitItem(item, index, requestOf(context, index)));

/** Turns a list inside an item into items. */
export const splitOutNode: NodeType = {
  type: 'splitOut', displayName: 'Split Out', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Turns the entries of a list inside an item into items.',
  parameters: [
    { name: 'fieldToSplitOut', type: 'string', required: true, description: 'The field with the list; several, separated by commas, are split side by side.' },
    { name: 'include', type: 'options', options: ['noOtherFields', 'allOtherFields', 'selectedOtherFields'], default: 'noOtherFields', description: 'Which other fields each new item gets.' },
    { name: 'fieldsToInclude', type: 'string', description: 'selectedOtherFields: names, separated by commas.' },
    { name: 'options', type: 'collection', default: {}, description: '`destinationFieldName`: where the entry goes; `disableDotNotation`; `includeBinary`: hand files on.' },
  ],
  problems: missingParameters('fieldToSplitOut'),
  execute: (context) => [splitOut(context)],
};
