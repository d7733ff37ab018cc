import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { Compat } from '../../engine/workflow.ts';
import { getField } from '../dot-path.ts';
import { asList, asObject, asObjects, asText } from '../json-value.ts';
import { sameJson } from '../stable-key.ts';

interface SortField { name: string; sign: 1 | -1 }

function sortFields(context: NodeContext): SortField[] {
  const fields = asObjects(context.parameter('sortFieldsUi.sortField', 0)).map(({ fieldName, order }): SortField => ({ name: asText(fieldName), sign: order === 'descending' ? -1 : 1 }));
  if (fields.length > 0) return fields;
  throw new WorkflowError('ParameterMissing', 'Name at least one field to sort by.', { parameter: 'sortFieldsUi', nonRetryable: true });
}

/** Text is compared without regard to case. */
const comparable = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);

/** Values of one kind by size, others by their text. */
function isLess(a: unknown, b: unknown): boolean {
  if ((typeof a === 'number' || typeof a === 'boolean') && (typeof b === 'number' || typeof b === 'boolean')) return Number(a) < Number(b);
  if (typeof a === 'number' || typeof b === 'number') return Number(a) < Number(b);
  return asText(a) < asText(b);
}

type Values = readonly unknown[];

/** n8n asks only whether the first value is less, so that a missing one stays where it came. Millrace puts missing ones last. */
function compareValues(a: Values, b: Values, fields: readonly SortField[], compat: Compat): number {
  for (const [position, { sign }] of fields.entries()) {
    const [left, right] = [a[position], b[position]];
    if (sameJson(left, right)) continue;
    if (compat === Compat.Millrace && (left === undefined || right === undefined)) return left === undefined ? 1 : -1;
    return left !== undefined && right !== undefined && isLess(left, right) ? -sign : sign;
  }
  return 0;
}

function byFields(context: NodeContext): Item[] {
  const items = context.input();
  const dots = asObject(context.parameter('options', 0)).disableDotNotation !== true;
  const fields = sortFields(context);
  for (const { name } of fields) {
    if (items.length > 0 && items.every((item) => getField(item.json, name, dots) === undefined)) {
      throw new WorkflowError('FieldMissing', `No item has the field '${name}'. Check its name.`, { parameter: 'sortFieldsUi' });
    }
  }
  const keyed = items.map((item) => ({ item, values: fields.map(({ name }) => comparable(getField(item.json, name, dots))) }));
  return keyed.toSorted((a, b) => compareValues(a.values, b.values, fields, context.compat)).map(({ item }) => item);
}

function shuffled(context: NodeContext): Item[] {
  const items = [...context.input()];
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(context.random() * (last + 1));
    const [a, b] = [items[last], items[other]];
    if (a && b) [items[last], items[other]] = [b, a];
  }
  return items;
}

/** The whole sort runs in the sandbox at once; only positions come back. */
async function byCode(context: NodeContext): Promise<Item[]> {
  const items = context.input();
  const source = `const compare = (a, b) => { ${asText(context.rawParameter('code'))}\n}; const all = $input.all(); return all.map((_, index) => index).sort((x, y) => compare(all[x], all[y]));`;
  const order = asList(await context.runCode({ language: 'javaScript', source, mode: 'all' }));
  return order.flatMap((index) => (typeof index === 'number' ? items[index] ?? [] : []));
}

export function sort(context: NodeContext): Item[] | Promise<Item[]> {
  const type = context.parameter('type', 0, 'simple');
  if (type === 'random') return shuffled(context);
  return type === 'code' ? byCode(context) : byFields(context);
}

/** Puts the items in order. */
export const sortNode: NodeType = {
  type: 'sort', displayName: 'Sort', group: 'data', versions: [1], effect: 'pure', inputs: 1, outputs: ['main'],
  description: 'Puts the items in order: by fields, by code, or at random.',
  parameters: [
    { name: 'type', type: 'options', options: ['simple', 'random', 'code'], default: 'simple', description: 'How to order.' },
    { name: 'sortFieldsUi', type: 'collection', description: '`{sortField: [{fieldName, order: "ascending" | "descending"}]}`. Text is compared without regard to case.' },
    { name: 'code', type: 'code', literal: true, description: 'code: the body of a comparison of the items a and b; returns a number below, at or above 0.' },
    { name: 'options', type: 'collection', default: {}, description: '`disableDotNotation`: names with dots are not paths.' },
  ],
  execute: async (context) => [await sort(context)],
};
