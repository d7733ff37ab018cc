import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import { ExecutionStatus, type ExecutionResult } from '../../engine/node-run.ts';
import type { NodeContext, NodeOutput, NodeType } from '../../engine/node-type.ts';
import { Compat, type WorkflowDefinition } from '../../engine/workflow.ts';
import { atItem, continuesOnError, errorItem, mustStop } from '../item-errors.ts';
import { distributed } from '../distribute/distributed.ts';
import { asText, isObject } from '../json-value.ts';
import { flagParameter } from '../parameter-value.ts';
import { childItems } from './inputs.ts';
import { inlineWorkflow } from './inline-workflow.ts';

function workflowOf(context: NodeContext, itemIndex: number): string | WorkflowDefinition {
  const source = context.parameter('source', itemIndex, 'database');
  if (source === 'parameter') return inlineWorkflow(context.parameter('workflowJson', itemIndex), context.workflow);
  if (source !== 'database') {
    throw new WorkflowError('NotSupported', `Workflows cannot be loaded from "${asText(source)}". Create a Workflow and call it by its name.`, { parameter: 'source', nonRetryable: true });
  }
  return namedWorkflow(context, itemIndex);
}

function namedWorkflow(context: NodeContext, itemIndex: number): string {
  const id = context.parameter('workflowId', itemIndex);
  const named = asText(isObject(id) ? id.value : id);
  if (named !== '') return named;
  throw new WorkflowError('ParameterMissing', 'Name the workflow to call.', { parameter: 'workflowId', nonRetryable: true });
}

/** The items of the child's last run, per output. Throws WorkflowError SubWorkflowFailed. */
function outputsOf(result: ExecutionResult): Item[][] {
  if (result.status !== ExecutionStatus.Succeeded) {
    throw new WorkflowError('SubWorkflowFailed', result.error?.message ?? `The sub-workflow ended as ${result.status}.`);
  }
  const last = result.runs.findLast(({ node }) => node === result.lastNode);
  return (last?.outputs ?? []).map((items) => (items ?? []).map(({ json, binary }) => (binary ? { json, binary } : { json })));
}

async function call(context: NodeContext, items: readonly Item[], itemIndex: number, wait: boolean): Promise<Item[][] | undefined> {
  const result = await context.runWorkflow({ workflow: workflowOf(context, itemIndex), items, wait });
  return wait && result ? outputsOf(result) : undefined;
}

/** Equal counts belong together one by one, as the child got the items in this order. */
function linkToInput(items: Item[], count: number): Item[] {
  if (items.length !== count && count !== 1) return items;
  return items.map((item, index) => ({ ...item, pairedItem: { item: count === 1 ? 0 : index } }));
}

async function once(context: NodeContext, wait: boolean): Promise<NodeOutput> {
  try {
    const outputs = await call(context, childItems(context), 0, wait);
    return outputs ? outputs.map((items) => linkToInput(items, context.input().length)) : [[...context.input()]];
  } catch (error) {
    if (mustStop(context, error) || !continuesOnError(context)) throw error;
    return [context.input().map((_, index) => errorItem(error, index))];
  }
}

/** Where an item goes whose call failed: n8n appends it to an output that nothing can be connected to. */
const failedOutput = (context: NodeContext): number => (context.compat === Compat.Millrace ? 0 : 1);

async function each(context: NodeContext, wait: boolean): Promise<NodeOutput> {
  const items = childItems(context);
  const outputs: Item[][] = [[]];
  const append = (output: number, made: readonly Item[]): void => {
    while (outputs.length <= output) outputs.push([]);
    for (const item of made) outputs[output]?.push(item);
  };
  for (const [index, item] of items.entries()) {
    try {
      const made = await call(context, [item], index, wait) ?? [[item]];
      for (const [output, list] of made.entries()) append(output, list.map((entry) => ({ ...entry, pairedItem: { item: index } })));
    } catch (error) {
      if (mustStop(context, error) || !continuesOnError(context)) throw atItem(error, index);
      append(failedOutput(context), [errorItem(error, index)]);
    }
  }
  return outputs;
}

/** Calls another workflow. */
export const executeWorkflowNode: NodeType = {
  type: 'executeWorkflow', displayName: 'Execute Workflow', group: 'flow', versions: [1, 1.1, 1.2, 1.3], effect: 'effectful', inputs: 1, outputs: ['main'],
  description: 'Runs another workflow with its items and goes on with what that one\'s last node gives.',
  parameters: [
    { name: 'source', type: 'options', options: ['database', 'parameter'], default: 'database', description: 'A workflow by its id, or its definition as JSON.' },
    { name: 'workflowId', type: 'string', description: 'The workflow\'s id, as text or as `{__rl: true, mode, value}`.' },
    { name: 'workflowJson', type: 'json', description: 'Source parameter: the workflow as JSON.' },
    { name: 'workflowInputs', type: 'collection', description: 'What the called workflow gets: `{mappingMode: "defineBelow", value: {field: value}, schema: [{id, type}], attemptToConvertTypes, convertFieldsToString}`. Without values the items are handed on as they are.' },
    { name: 'mode', type: 'options', options: ['once', 'each'], default: 'once', description: 'Run it once with all items, or once per item.' },
    { name: 'options', type: 'collection', default: {}, description: '`waitForSubWorkflow` (on): wait for its end. Otherwise the items pass on at once.' },
  ],
  distributable: ({ parameters }) => ((parameters?.['source'] ?? 'database') === 'database' ? 'Workflow' : undefined),
  execute: (context) => {
    if (context.distribute) return distributed(context, context.distribute, { workflow: namedWorkflow(context, 0), items: () => childItems(context) });
    const wait = flagParameter(context, 'options.waitForSubWorkflow', 0, true);
    return context.parameter('mode', 0, 'once') === 'each' ? each(context, wait) : once(context, wait);
  },
};
