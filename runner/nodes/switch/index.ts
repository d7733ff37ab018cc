import { WorkflowError } from '../../engine/error.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { compileConditions, conditionOptions } from '../conditions/conditions.ts';
import { legacyComparison } from '../conditions/legacy.ts';
import { looseParameter } from '../conditions/parameters.ts';
import { atItem, continuesOnError, errorItem } from '../item-errors.ts';
import { asObject, asObjects, asText, textOrNone } from '../json-value.ts';
import { prepareParameter, prepareValue } from '../parameter-value.ts';

/** The outputs an item goes to; none when it matched nothing and there is no fallback. */
type Route = (itemIndex: number) => readonly number[];

const parametersOf = (node: WorkflowNode): JsonObject => node.parameters ?? {};

function rulesOf(node: WorkflowNode): JsonObject[] {
  const rules = asObject(parametersOf(node).rules);
  return asObjects(rules.values ?? rules.rules);
}

const isExpressionMode = (node: WorkflowNode): boolean => parametersOf(node).mode === 'expression';

const optionsOf = (node: WorkflowNode): JsonObject => asObject(parametersOf(node).options);

function outputNames(node: WorkflowNode): readonly string[] {
  const version = node.typeVersion ?? 3.2;
  const count = Number(parametersOf(node).numberOutputs ?? parametersOf(node).outputsAmount ?? 4);
  if (isExpressionMode(node)) return Array.from({ length: version === 1 ? 4 : count }, (_, index) => String(index));
  if (version === 1) return ['0', '1', '2', '3'];
  const names = rulesOf(node).map((rule, index) => ((version < 3 || rule.renameOutput === true) && textOrNone(rule.outputKey)) || String(index));
  const extra = optionsOf(node).fallbackOutput === 'extra' || (version < 3 && parametersOf(node).fallbackOutput === 'extra');
  return extra ? [...names, textOrNone(optionsOf(node).renameFallbackOutput) ?? 'fallback'] : names;
}

function expressionRoute(context: NodeContext, outputs: number): Route {
  const output = prepareParameter(context, 'output', 0);
  return (itemIndex) => {
    const index = Number(output(itemIndex));
    if (Number.isInteger(index) && index >= 0 && index < outputs) return [index];
    throw new WorkflowError('OutputOutOfRange', `There is no output ${asText(output(itemIndex))}. It has to be a whole number from 0 to ${outputs - 1}.`, { itemIndex, parameter: 'output' });
  };
}

function fallbackOf(value: unknown, rules: number): readonly number[] {
  if (value === undefined || value === 'none' || value === -1) return [];
  return [value === 'extra' ? rules : Number(value)];
}

function rulesRoute(context: NodeContext): Route {
  const options = optionsOf(context.node);
  const tests = rulesOf(context.node).map((rule) => compileConditions(context, rule.conditions, conditionOptions(context)));
  const fallback = fallbackOf(options.fallbackOutput, tests.length);
  const all = options.allMatchingOutputs === true;
  return (itemIndex) => {
    const matched: number[] = [];
    for (const [output, holds] of tests.entries()) {
      if (!holds(itemIndex)) continue;
      matched.push(output);
      if (!all) break;
    }
    return matched.length > 0 ? matched : fallback;
  };
}

/** Versions 1 and 2: one value is compared with each rule's; version 1 rules name their output. */
function legacyRoute(context: NodeContext): Route {
  const type = textOrNone(context.rawParameter('dataType')) ?? 'number';
  const value = prepareParameter(context, 'value1');
  const rules = rulesOf(context.node);
  const tests = rules.map((rule, index) => ({
    compare: legacyComparison(type, textOrNone(rule.operation) ?? 'equal'), right: prepareValue(context, rule.value2),
    output: context.typeVersion === 1 ? Number(rule.output ?? 0) : index,
  }));
  const fallback = fallbackOf(context.rawParameter('fallbackOutput'), rules.length);
  return (itemIndex) => {
    const found = tests.find((test) => test.compare(value(itemIndex), test.right(itemIndex)));
    return found ? [found.output] : fallback;
  };
}

function routeOf(context: NodeContext, outputs: number): Route {
  if (isExpressionMode(context.node)) return expressionRoute(context, outputs);
  return context.typeVersion >= 3 ? rulesRoute(context) : legacyRoute(context);
}

/** Sends each item to one of several outputs. */
export const switchNode: NodeType = {
  type: 'switch', displayName: 'Switch', group: 'flow', versions: [1, 2, 3, 3.1, 3.2, 3.3, 3.4], effect: 'pure', inputs: 1, outputs: outputNames,
  description: 'Sends each item to the output of the first rule it meets, or to the output an expression names.',
  parameters: [
    { name: 'mode', type: 'options', options: ['rules', 'expression'], default: 'rules', description: 'Whether rules or an expression choose the output.' },
    { name: 'rules', type: 'collection', description: '`{values: [{conditions, renameOutput, outputKey}]}`: one output per rule, with conditions as in If. Versions 1 and 2: `{rules: [{operation, value2, output}]}`.' },
    { name: 'numberOutputs', type: 'number', default: 4, description: 'Mode expression: how many outputs there are.' },
    { name: 'output', type: 'number', description: 'Mode expression: the output of the item, counted from 0.' },
    { name: 'dataType', type: 'options', options: ['boolean', 'dateTime', 'number', 'string'], default: 'number', description: 'Versions 1 and 2: the type of the compared values.' },
    { name: 'value1', type: 'string', description: 'Versions 1 and 2: the value that the rules look at.' },
    { name: 'fallbackOutput', type: 'string', description: 'Versions 1 and 2: the output of items that meet no rule; -1 for none.' },
    looseParameter,
    { name: 'options', type: 'collection', default: {}, description: '`fallbackOutput`: `none`, `extra` or an output number for items that meet no rule. `allMatchingOutputs`: send an item to every rule it meets. `ignoreCase`, `looseTypeValidation`: as in If.' },
  ],
  execute(context) {
    const outputs: Item[][] = outputNames(context.node).map(() => []);
    const route = routeOf(context, outputs.length);
    for (const [index, item] of context.input().entries()) {
      try {
        for (const output of route(index)) outputs[output]?.push(item);
      } catch (error) {
        if (!continuesOnError(context)) throw atItem(error, index);
        outputs[0]?.push(errorItem(error, index));
      }
    }
    return outputs;
  },
};
