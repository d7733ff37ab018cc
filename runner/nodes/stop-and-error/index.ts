import { WorkflowError } from '../../engine/error.ts';
import type { NodeType } from '../../engine/node-type.ts';
import { parseJson } from '../json-text.ts';
import { asText, isObject } from '../json-value.ts';
import { textParameter } from '../parameter-value.ts';

function fromObject(value: unknown): WorkflowError {
  const object = typeof value === 'string' ? parseJson(value) : value;
  if (!isObject(object)) return new WorkflowError('InvalidJson', 'The error object is not a JSON object. Check its brackets and quotes.', { parameter: 'errorObject' });
  const text = asText(object.message ?? object.description ?? object.error) || JSON.stringify(object);
  return new WorkflowError('WorkflowStopped', text, object.description === undefined ? {} : { description: asText(object.description) });
}

/** Fails the execution on purpose. */
export const stopAndErrorNode: NodeType = {
  type: 'stopAndError', displayName: 'Stop and Error', group: 'flow', versions: [1], effect: 'pure', inputs: 1, outputs: [],
  description: 'Fails the execution with a message of your own.',
  parameters: [
    { name: 'errorType', type: 'options', options: ['errorMessage', 'errorObject'], default: 'errorMessage', description: 'Whether to fail with a text or with an object.' },
    { name: 'errorMessage', type: 'string', description: 'The text.' },
    { name: 'errorObject', type: 'json', description: 'JSON object; its `message`, `description` or `error` becomes the text.' },
  ],
  execute(context) {
    const withObject = context.parameter('errorType', 0, 'errorMessage') === 'errorObject';
    throw withObject ? fromObject(context.parameter('errorObject', 0)) : new WorkflowError('WorkflowStopped', textParameter(context, 'errorMessage', 0), { nonRetryable: true });
  },
};
