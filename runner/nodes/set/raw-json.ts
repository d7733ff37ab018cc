import { WorkflowError } from '../../engine/error.ts';
import type { JsonObject } from '../../engine/item.ts';
import type { NodeContext } from '../../engine/node-type.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { toJson } from '../json-clean.ts';
import { parseJson, parseLooseJson } from '../json-text.ts';
import { isObject } from '../json-value.ts';
import { prepareValue } from '../parameter-value.ts';

/** The object that JSON mode gives for one item. Throws WorkflowError InvalidJson. */
export function compileRawJson(context: NodeContext): (itemIndex: number) => JsonObject {
  const raw = context.rawParameter('jsonOutput') ?? '{}';
  const value = prepareValue(context, raw);
  // Only text that expressions were spliced into is mended: what is written by hand should be right.
  const parse = typeof raw === 'string' && raw.startsWith('=') ? parseLooseJson : parseJson;
  return (itemIndex) => {
    const written = value(itemIndex);
    const parsed = toJson(typeof written === 'string' ? parse(written) : written);
    if (isObject(parsed)) return parsed;
    throw new WorkflowError('InvalidJson', `The JSON of item ${itemIndex} is not a JSON object. Check its brackets and quotes; a list has to be split into items first.`, { itemIndex, parameter: 'jsonOutput' });
  };
}

/** JSON without expressions can be judged before anything runs. */
export function literalJsonProblems({ parameters = {} }: WorkflowNode): { parameter: string; message: string }[] {
  const { mode, jsonOutput } = parameters;
  if (mode !== 'raw' || typeof jsonOutput !== 'string' || jsonOutput.startsWith('=') || parseJson(jsonOutput) !== undefined) return [];
  return [{ parameter: 'jsonOutput', message: 'The JSON is not valid. Check its brackets, commas and quotes.' }];
}
