import type { NodeType } from '../../engine/node-type.ts';
import type { WorkflowNode } from '../../engine/workflow.ts';
import { asList, asText } from '../json-value.ts';
import { startItems } from '../triggers/start-items.ts';

/** One output per method when several are accepted. */
function methods(node: WorkflowNode): readonly string[] {
  const accepted = node.parameters?.httpMethod;
  return node.parameters?.multipleMethods === true && Array.isArray(accepted) && accepted.length > 0 ? asList(accepted).map(asText) : ['main'];
}

/** Starts a workflow by an HTTP request; the request is received, checked and answered outside the engine. */
export const webhookNode: NodeType = {
  type: 'webhook', displayName: 'Webhook', group: 'trigger', versions: [1, 1.1, 2, 2.1], effect: 'pure', inputs: 0, outputs: methods,
  description: 'Starts the workflow when its address is called. The item holds `headers`, `params`, `query`, `body`, `webhookUrl` and `executionMode`; files are binary properties.',
  parameters: [
    { name: 'httpMethod', type: 'options', options: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD'], default: 'GET', description: 'The accepted method; a list of them with `multipleMethods`.' },
    { name: 'multipleMethods', type: 'boolean', default: false, description: 'Accept several methods, each with an output of its own.' },
    { name: 'path', type: 'string', required: true, description: 'The path behind /webhook/; `:name` parts become `params`.' },
    { name: 'authentication', type: 'options', options: ['none', 'basicAuth', 'headerAuth', 'jwtAuth'], default: 'none', description: 'What callers have to present; checked against a credential of the node.' },
    { name: 'responseMode', type: 'options', options: ['onReceived', 'lastNode', 'responseNode', 'streaming'], default: 'onReceived', description: 'Answer at once, with the data of the last node, or from a Respond to Webhook node.' },
    { name: 'responseData', type: 'options', options: ['firstEntryJson', 'allEntries', 'firstEntryBinary', 'noData'], default: 'firstEntryJson', description: 'Mode lastNode: what the answer holds.' },
    { name: 'responseCode', type: 'number', default: 200, description: 'Version 1: the status of the answer.' },
    { name: 'options', type: 'collection', default: {}, description: '`responseCode`, `responseHeaders.entries`, `responseData` (text of an immediate answer), `responsePropertyName`, `responseContentType`, `rawBody`, `binaryPropertyName`, `allowedOrigins`, `ipWhitelist`, `ignoreBots`, `noResponseBody`.' },
  ],
  execute(context) {
    const names = methods(context.node);
    const items = startItems(context);
    if (names.length === 1) return [items];
    const called = asText(items[0]?.json.method ?? names[0]);
    return names.map((name) => (name === called ? items : []));
  },
};
