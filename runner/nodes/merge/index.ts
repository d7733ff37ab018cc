import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { fieldList } from '../field-list.ts';
import { asList, asObject, asObjects, asText } from '../json-value.ts';
import { textParameter } from '../parameter-value.ts';
import { joinByFields, type JoinMode } from './by-fields.ts';
import { clashHandling } from './clash.ts';
import { combineEntries, entriesOf, loneEntry } from './combine-items.ts';
import { mergeLegacy } from './legacy.ts';
import { mergeBySql } from './sql.ts';

const inputCount = (node: WorkflowNode): number => {
  const count = Number(node.parameters?.numberInputs ?? 2);
  return Number.isInteger(count) ? Math.min(10, Math.max(2, count)) : 2;
};

const inputsOf = (context: NodeContext): (readonly Item[])[] => Array.from({ length: inputCount(context.node) }, (_, index) => context.input(index));

function byPosition(context: NodeContext): Item[] {
  const options = asObject(context.parameter('options', 0));
  const inputs = inputsOf(context);
  const clash = clashHandling(options, 'preferLast');
  const lengths = inputs.map((items) => items.length);
  const length = options.includeUnpaired === true ? Math.max(...lengths) : Math.min(...lengths);
  return Array.from({ length }, (_, index) =>
    combineEntries(inputs.flatMap((items, input) => {
      const item = items[index];
      return item ? [{ item, input, index }] : [];
    }), clash));
}

function allCombinations(context: NodeContext): Item[] {
  const clash = clashHandling(asObject(context.parameter('options', 0)), 'preferLast');
  const second = entriesOf(context.input(1), 1);
  return entriesOf(context.input(0), 0).flatMap((entry) => second.map((other) => combineEntries([entry, other], clash)));
}

function matchFields(context: NodeContext): { field1: string; field2: string }[] {
  const pairs = asObjects(context.parameter('mergeByFields.values', 0)).map(({ field1, field2 }) => ({ field1: asText(field1), field2: asText(field2) }));
  const simple = fieldList(context.parameter('fieldsToMatchString', 0)).map((field) => ({ field1: field, field2: field }));
  const fields = (pairs.length > 0 ? pairs : simple).filter(({ field1, field2 }) => field1 !== '' && field2 !== '');
  if (fields.length > 0) return fields;
  throw new WorkflowError('ParameterMissing', 'Name at least one field by which the inputs are matched.', { parameter: 'fieldsToMatchString', nonRetryable: true });
}

function joinModeOf(value: unknown): JoinMode {
  const modes = ['keepNonMatches', 'keepEverything', 'enrichInput1', 'enrichInput2'] as const;
  return modes.find((mode) => mode === value) ?? 'keepMatches';
}

function byFields(context: NodeContext): Item[] {
  const options = asObject(context.parameter('options', 0));
  const joinMode = joinModeOf(context.parameter('joinMode', 0));
  const from = context.parameter('outputDataFrom', 0, 'both');
  return joinByFields(context.input(0), context.input(1), {
    fields: matchFields(context), joinMode, outputDataFrom: from === 'input1' || from === 'input2' ? from : 'both',
    firstMatch: options.multipleMatches === 'first', fuzzy: options.fuzzyCompare === true, dots: options.disableDotNotation !== true,
    // What enriches wins, as the enriched input is the older state.
    clash: clashHandling(options, joinMode === 'enrichInput2' ? 'preferInput1' : 'preferInput2'),
  });
}

function chooseBranch(context: NodeContext): Item[] {
  const output = textParameter(context, 'output', 0, 'specifiedInput');
  const inputs = inputsOf(context);
  if (output === 'empty') {
    return [{ json: {}, pairedItem: inputs.flatMap((items, input) => items.map((_, item) => ({ item, input }))) }];
  }
  const number = Number(/\d+$/.exec(context.typeVersion < 3 ? output : textParameter(context, 'useDataOfInput', 0, '1'))?.[0] ?? 1);
  return [...context.input(number - 1)];
}

const append = (context: NodeContext): Item[] =>
  inputsOf(context).flatMap((items, input) => entriesOf(items, input).map((entry) => loneEntry(entry, clashHandling({}, 'preferLast'))));

/** The combine mode, under its names of version 2 and of version 3. */
function combine(context: NodeContext): Item[] {
  const how = context.typeVersion < 3 ? textParameter(context, 'combinationMode', 0, 'mergeByFields') : textParameter(context, 'combineBy', 0, 'combineByFields');
  if (how === 'combineByPosition' || how === 'mergeByPosition') return byPosition(context);
  return how === 'combineAll' || how === 'multiplex' ? allCombinations(context) : byFields(context);
}

/** Values for the placeholders of an SQL query: a list, or text separated by commas. */
function queryValues(context: NodeContext): readonly unknown[] {
  const values = context.parameter('options.queryParameters', 0, []);
  return typeof values === 'string' ? fieldList(values) : asList(values);
}

function run(context: NodeContext): Item[] | Promise<Item[]> {
  if (context.typeVersion < 2) return mergeLegacy(context);
  switch (textParameter(context, 'mode', 0, 'append')) {
    case 'combine': return combine(context);
    case 'chooseBranch': return chooseBranch(context);
    case 'combineBySql': return mergeBySql(textParameter(context, 'query', 0, 'SELECT * FROM input1'), inputsOf(context), { compat: context.compat, values: queryValues(context) });
    default: return append(context);
  }
}

/** Choosing a branch means waiting for all of them: it makes no sense when one never delivers. */
function requiredInputs(node: WorkflowNode): readonly number[] {
  const parameters: JsonObject = node.parameters ?? {};
  return parameters.mode === 'chooseBranch' ? Array.from({ length: inputCount(node) }, (_, index) => index) : [];
}

/** Joins the data of several branches. */
export const mergeNode: NodeType = {
  type: 'merge', displayName: 'Merge', group: 'flow', versions: [1, 2, 2.1, 3, 3.1, 3.2], effect: 'pure', inputs: inputCount, outputs: ['main'], requiredInputs,
  description: 'Waits for its inputs and joins their items: one after the other, side by side, by the values of fields, by SQL, or only those of one input.',
  parameters: [
    { name: 'mode', type: 'options', options: ['append', 'combine', 'combineBySql', 'chooseBranch'], default: 'append', description: 'How to join. Version 1 has append, mergeByIndex, mergeByKey, keepKeyMatches, removeKeyMatches, multiplex, passThrough and wait instead.' },
    { name: 'numberInputs', type: 'number', default: 2, description: 'How many inputs there are, 2 to 10.' },
    { name: 'combineBy', type: 'options', options: ['combineByFields', 'combineByPosition', 'combineAll'], default: 'combineByFields', description: 'Mode combine: by the values of fields, by position, or every item with every other.' },
    { name: 'combinationMode', type: 'options', options: ['mergeByFields', 'mergeByPosition', 'multiplex'], default: 'mergeByFields', description: 'Version 2: the same choice.' },
    { name: 'fieldsToMatchString', type: 'string', description: 'Fields that have to be equal in both inputs, separated by commas.' },
    { name: 'mergeByFields', type: 'collection', description: '`{values: [{field1, field2}]}`: fields to match when they are named differently.' },
    { name: 'joinMode', type: 'options', options: ['keepMatches', 'keepNonMatches', 'keepEverything', 'enrichInput1', 'enrichInput2'], default: 'keepMatches', description: 'Which items come out: inner join, those without a match, outer join, left join, right join.' },
    { name: 'outputDataFrom', type: 'options', options: ['both', 'input1', 'input2'], default: 'both', description: 'Whose fields the items have (keepMatches and keepNonMatches).' },
    { name: 'query', type: 'string', default: 'SELECT * FROM input1', description: 'Mode combineBySql: one SELECT in the SQL of SQLite over the tables input1, input2 …; a row is an item, fields are columns.' },
    { name: 'useDataOfInput', type: 'number', default: 1, description: 'Mode chooseBranch: the input whose items come out, counted from 1.' },
    { name: 'output', type: 'options', options: ['specifiedInput', 'empty'], default: 'specifiedInput', description: 'Mode chooseBranch: the items of an input, or a single empty item. Versions 1 and 2 name the input here: input1, input2.' },
    { name: 'join', type: 'options', options: ['left', 'inner', 'outer'], default: 'left', description: 'Version 1, mergeByIndex: what to do with items without a counterpart.' },
    { name: 'propertyName1', type: 'string', description: 'Version 1: the key field of input 1.' },
    { name: 'propertyName2', type: 'string', description: 'Version 1: the key field of input 2.' },
    { name: 'overwrite', type: 'options', options: ['always', 'blank', 'undefined'], default: 'always', description: 'Version 1, mergeByKey: when a value of input 2 replaces one of input 1.' },
    { name: 'options', type: 'collection', default: {}, description: '`clashHandling.values`: `resolveClash` (preferInput1, preferInput2, addSuffix), `mergeMode` (deepMerge, shallowMerge), `overrideEmpty`. `multipleMatches` (all, first). `fuzzyCompare`: "1" matches 1. `includeUnpaired`: by position, keep items without a counterpart. `disableDotNotation`. `queryParameters`: values of the placeholders ? in the query.' },
  ],
  async execute(context) {
    return [await run(context)];
  },
};
