import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { getField } from '../dot-path.ts';
import { fieldList } from '../field-list.ts';
import { asObject, asObjects, asText } from '../json-value.ts';
import { joinKey } from '../merge/by-fields.ts';
import { textParameter } from '../parameter-value.ts';
import { sameJson } from '../stable-key.ts';

type Resolve = 'preferInput1' | 'preferInput2' | 'mix' | 'includeBoth';

interface Request {
  fields: { field1: string; field2: string }[];
  resolve: Resolve;
  skip: Set<string>;
  fuzzy: boolean;
  dots: boolean;
  /** mix: the input that wins, and the fields in which the other one does. */
  preferred: 'input1' | 'input2';
  exceptions: Set<string>;
  firstMatch: boolean;
}

function requestOf(context: NodeContext): Request {
  const options = asObject(context.parameter('options', 0));
  const fields = asObjects(context.parameter('mergeByFields.values', 0)).map(({ field1, field2 }) => ({ field1: asText(field1), field2: asText(field2) }))
    .filter(({ field1, field2 }) => field1 !== '' && field2 !== '');
  if (fields.length === 0) throw new WorkflowError('ParameterMissing', 'Name at least one field by which the inputs are matched.', { parameter: 'mergeByFields', nonRetryable: true });
  const resolve = textParameter(context, 'resolve', 0, context.typeVersion < 2 ? 'preferInput1' : 'includeBoth');
  return {
    fields, resolve: resolve === 'preferInput1' || resolve === 'preferInput2' || resolve === 'mix' ? resolve : 'includeBoth',
    skip: new Set(fieldList(options.skipFields)), dots: options.disableDotNotation !== true, firstMatch: options.multipleMatches !== 'all',
    fuzzy: context.typeVersion >= 2.1 ? context.parameter('fuzzyCompare', 0, options.fuzzyCompare) === true : options.fuzzyCompare === true,
    preferred: context.parameter('preferWhenMix', 0) === 'input2' ? 'input2' : 'input1',
    exceptions: new Set(fieldList(context.parameter('exceptWhenMix', 0))),
  };
}

const same = (a: unknown, b: unknown, fuzzy: boolean): boolean => sameJson(a, b) || (fuzzy && asText(a).trim().toLowerCase() === asText(b).trim().toLowerCase());

/** The fields in which two items differ. */
function differences(a: JsonObject, b: JsonObject, request: Request): string[] {
  const ignored = new Set([...request.skip, ...request.fields.flatMap(({ field1, field2 }) => [field1, field2])]);
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !ignored.has(key) && !same(a[key], b[key], request.fuzzy));
}

/** Both versions beside each other: the keys, the equal fields and the different ones. */
function bothVersions(a: JsonObject, b: JsonObject, different: readonly string[], request: Request): JsonObject {
  const keys = Object.fromEntries(request.fields.map(({ field1 }) => [field1, getField(a, field1, request.dots)]));
  const equal = Object.entries(a).filter(([key]) => !different.includes(key) && !request.skip.has(key));
  const skipped = [...request.skip].filter((key) => key in a || key in b);
  const versions = (fields: readonly string[]): JsonObject => Object.fromEntries(fields.map((key) => [key, { inputA: a[key] ?? null, inputB: b[key] ?? null }]));
  return { keys, same: Object.fromEntries(equal), different: versions(different), ...(skipped.length > 0 && { skipped: versions(skipped) }) };
}

function mixed(a: JsonObject, b: JsonObject, request: Request): JsonObject {
  const [winner, other] = request.preferred === 'input1' ? [a, b] : [b, a];
  const result: JsonObject = { ...other, ...winner };
  for (const field of request.exceptions) if (field in other) result[field] = other[field];
  return result;
}

interface Pair { a: Item; b: Item; indexA: number; indexB: number }

function resolved({ a, b, indexA, indexB }: Pair, different: readonly string[], request: Request): Item {
  const both = [{ item: indexA }, { item: indexB, input: 1 }];
  switch (request.resolve) {
    case 'preferInput1': return { ...a, pairedItem: { item: indexA } };
    case 'preferInput2': return { ...b, pairedItem: { item: indexB, input: 1 } };
    case 'mix': return { json: mixed(a.json, b.json, request), pairedItem: both };
    default: return { json: bothVersions(a.json, b.json, different, request), pairedItem: both };
  }
}

function compare(context: NodeContext): Item[][] {
  const request = requestOf(context);
  const second = context.input(1);
  const keys2 = second.map((item) => joinKey(item, request.fields.map(({ field2 }) => field2), request));
  const byKey = Map.groupBy(second.keys().filter((index) => keys2[index] !== undefined), (index) => keys2[index]);
  const matched = new Set<number>();
  const [onlyA, equal, different, onlyB]: [Item[], Item[], Item[], Item[]] = [[], [], [], []];
  for (const [indexA, a] of context.input(0).entries()) {
    const key = joinKey(a, request.fields.map(({ field1 }) => field1), request);
    const found = key === undefined ? [] : byKey.get(key) ?? [];
    if (found.length === 0) onlyA.push({ ...a, pairedItem: { item: indexA } });
    for (const indexB of found) matched.add(indexB);
    for (const indexB of request.firstMatch ? found.slice(0, 1) : found) {
      const b = second[indexB];
      if (!b) continue;
      const fields = differences(a.json, b.json, request);
      if (fields.length === 0) equal.push({ ...a, pairedItem: { item: indexA } });
      else different.push(resolved({ a, b, indexA, indexB }, fields, request));
    }
  }
  for (const [indexB, b] of second.entries()) if (!matched.has(indexB)) onlyB.push({ ...b, pairedItem: { item: indexB, input: 1 } });
  return [onlyA, equal, different, onlyB];
}

/** Compares two sets of items. */
export const compareDatasetsNode: NodeType = {
  type: 'compareDatasets', displayName: 'Compare Datasets', group: 'flow', versions: [1, 2, 2.1, 2.2, 2.3], effect: 'pure', inputs: 2, outputs: ['In A only', 'Same', 'Different', 'In B only'],
  description: 'Compares two sets of items, matched by fields, and gives what is only in A, the same, different, and only in B on an output each.',
  parameters: [
    { name: 'mergeByFields', type: 'collection', required: true, description: '`{values: [{field1, field2}]}`: the fields by which items of A and B belong together.' },
    { name: 'resolve', type: 'options', options: ['preferInput1', 'preferInput2', 'mix', 'includeBoth'], default: 'includeBoth', description: 'What the output "Different" has: the item of A, of B, a mix, or both versions (`keys`, `same`, `different`).' },
    { name: 'preferWhenMix', type: 'options', options: ['input1', 'input2'], default: 'input1', description: 'mix: whose values are taken.' },
    { name: 'exceptWhenMix', type: 'string', description: 'mix: fields, separated by commas, that are taken from the other input.' },
    { name: 'fuzzyCompare', type: 'boolean', default: false, description: 'Tolerate different types: "3" and 3 are the same.' },
    { name: 'options', type: 'collection', default: {}, description: '`skipFields`: fields, separated by commas, that do not count; `multipleMatches`: first or all; `disableDotNotation`; `fuzzyCompare` (version 1 and 2).' },
  ],
  execute: (context) => compare(context),
};
