import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject, PairedItem } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { getField } from '../dot-path.ts';
import { fieldList } from '../field-list.ts';
import { asObject, asObjects, asText, isObject } from '../json-value.ts';
import { stableKey } from '../stable-key.ts';
import { AGGREGATIONS, type Aggregation, type AggregationSettings } from './aggregations.ts';

interface Column { field: string; name: string; aggregation: Aggregation; settings: AggregationSettings }

interface Group { values: unknown[]; members: number[] }

/** A field's path as part of a plain name: `g["x y"].z` → g_x_y_z. */
const plainName = (field: string): string => field.replaceAll(/[\]"]/g, '').replaceAll(/[ .[]/g, '_');

function separatorOf(column: JsonObject): string {
  const separateBy = column.separateBy ?? ',';
  return asText(separateBy === 'other' ? column.customSeparator : separateBy);
}

function columnsOf(context: NodeContext): Column[] {
  const columns = asObjects(context.parameter('fieldsToSummarize.values', 0)).map((column): Column => {
    const kind = asText(column.aggregation) || 'count';
    const field = asText(column.field).trim();
    const aggregation = AGGREGATIONS[kind];
    if (!aggregation) throw new WorkflowError('UnknownOperator', `There is no aggregation "${kind}". Use one of ${Object.keys(AGGREGATIONS).join(', ')}.`, { parameter: 'fieldsToSummarize', nonRetryable: true });
    if (field === '') throw new WorkflowError('ParameterMissing', `The aggregation "${kind}" names no field.`, { parameter: 'fieldsToSummarize', nonRetryable: true });
    return { field, name: `${aggregation.prefix}_${plainName(field)}`, aggregation, settings: { includeEmpty: column.includeEmpty === true, separator: separatorOf(column) } };
  });
  if (columns.length > 0) return columns;
  throw new WorkflowError('ParameterMissing', 'Name at least one field to summarize.', { parameter: 'fieldsToSummarize', nonRetryable: true });
}

function groupsOf(items: readonly Item[], fields: readonly string[], options: { dots: boolean; skipEmpty: boolean }): Group[] {
  const groups = new Map<string, Group>();
  for (const [index, item] of items.entries()) {
    const values = fields.map((field) => getField(item.json, field, options.dots));
    if (options.skipEmpty && values.some((value) => value === undefined || value === null || value === '')) continue;
    const key = stableKey(values.map(asText));
    const group = groups.get(key);
    if (group) group.members.push(index);
    else groups.set(key, { values, members: [index] });
  }
  return [...groups.values()];
}

/** Version 1 fails when no item has the field; later ones summarize nothing. */
function checkFields(items: readonly Item[], columns: readonly Column[], dots: boolean): void {
  for (const { field } of columns) {
    if (items.some((item) => getField(item.json, field, dots) !== undefined)) continue;
    throw new WorkflowError('FieldMissing', `No item has the field '${field}'. Check its name.`, { parameter: 'fieldsToSummarize' });
  }
}

/** Groups nested by the values they stand for. */
function nest(groups: readonly { group: Group; json: JsonObject }[]): JsonObject {
  const root: JsonObject = {};
  for (const { group, json } of groups) {
    let level = root;
    for (const value of group.values) {
      const key = asText(value ?? 'undefined');
      const next = Object.hasOwn(level, key) ? level[key] : undefined;
      const below: JsonObject = isObject(next) ? next : {};
      Object.defineProperty(level, key, { value: below, enumerable: true, configurable: true, writable: true });
      level = below;
    }
    Object.assign(level, json);
  }
  return root;
}

const pairs = (indexes: readonly number[]): PairedItem[] => indexes.map((item) => ({ item }));

export function summarize(context: NodeContext): Item[] {
  const items = context.input();
  const options = asObject(context.parameter('options', 0));
  const dots = options.disableDotNotation !== true;
  const columns = columnsOf(context);
  const fields = fieldList(context.parameter('fieldsToSplitBy', 0));
  if (context.typeVersion < 1.1 && options.continueIfFieldNotFound !== true) checkFields(items, columns, dots);
  const summarized = groupsOf(items, fields, { dots, skipEmpty: options.skipEmptySplitFields === true }).map((group) => {
    const members = group.members.flatMap((index) => items[index] ?? []);
    const json = Object.fromEntries(columns.map(({ field, name, aggregation, settings }) => [name, aggregation.compute(members.map((item) => getField(item.json, field, dots)), settings)]));
    return { group, json };
  });
  if (fields.length > 0 && options.outputFormat === 'singleItem') {
    return [{ json: nest(summarized), pairedItem: pairs(items.map((_, index) => index)) }];
  }
  return summarized.map(({ group, json }) => ({
    json: { ...json, ...Object.fromEntries(fields.map((field, position) => [plainName(field), group.values[position] ?? null])) },
    pairedItem: pairs(group.members),
  }));
}

/** Sums, counts and the like, per group. */
export const summarizeNode: NodeType = {
  type: 'summarize', displayName: 'Summarize', group: 'data', versions: [1, 1.1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Sums, counts, averages and more over the items, per group like a pivot table.',
  parameters: [
    { name: 'fieldsToSummarize', type: 'collection', required: true, description: '`{values: [{aggregation, field, includeEmpty, separateBy, customSeparator}]}`; aggregation is append, average, concatenate, count, countUnique, max, min or sum. The result of sum over `v` is the field `sum_v`.' },
    { name: 'fieldsToSplitBy', type: 'string', description: 'Fields whose values make the groups, separated by commas.' },
    { name: 'options', type: 'collection', default: {}, description: '`outputFormat`: separateItems (one per group) or singleItem (nested by group); `skipEmptySplitFields`; `continueIfFieldNotFound` (version 1); `disableDotNotation`.' },
  ],
  execute: (context) => [summarize(context)],
};
