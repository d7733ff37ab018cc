import type { Item, JsonObject } from '../../engine/item.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { parseJson } from '../json-text.ts';
import { asObject, asObjects, asText } from '../json-value.ts';
import { startItems } from '../triggers/start-items.ts';

/** The declared fields, or undefined when everything is passed through. */
function declaredFields(context: NodeContext): string[] | undefined {
  if (context.typeVersion < 1.1) return undefined;
  const source = context.rawParameter('inputSource') ?? 'workflowInputs';
  if (source === 'passthrough') return undefined;
  if (source === 'jsonExample') return Object.keys(asObject(parseJson(asText(context.rawParameter('jsonExample')))));
  return asObjects(context.rawParameter('workflowInputs.values')).map(({ name }) => asText(name)).filter((name) => name !== '');
}

/** Only the declared fields; those that the caller left out are null. */
function declaredOnly(item: Item, fields: readonly string[]): Item {
  const json: JsonObject = {};
  for (const field of fields) json[field] = item.json[field] ?? null;
  return { ...item, json };
}

/** Starts a workflow that another one calls. */
export const executeWorkflowTriggerNode: NodeType = {
  type: 'executeWorkflowTrigger', displayName: 'When Executed by Another Workflow', group: 'trigger', versions: [1, 1.1], effect: 'pure', inputs: 0, outputs: ['main'],
  description: 'Starts the workflow when an Execute Workflow node of another one calls it, with the items of the caller.',
  parameters: [
    { name: 'inputSource', type: 'options', options: ['workflowInputs', 'jsonExample', 'passthrough'], default: 'workflowInputs', description: 'Whether the accepted fields are declared, taken from an example, or everything passes. Version 1 always passes everything.' },
    { name: 'workflowInputs', type: 'collection', description: '`{values: [{name, type}]}`: the declared fields; type is string, number, boolean, array, object or any.' },
    { name: 'jsonExample', type: 'json', description: 'An object whose keys are the accepted fields.' },
  ],
  execute(context) {
    const fields = declaredFields(context);
    const items = startItems(context);
    return [fields ? items.map((item) => declaredOnly(item, fields)) : items];
  },
};
