import { WorkflowError } from '../../engine/error.ts';
import type { Item } from '../../engine/item.ts';
import type { WebhookResponse } from '../../engine/node-run.ts';
import type { NodeContext, NodeType } from '../../engine/node-type.ts';
import { parseLooseJson } from '../json-text.ts';
import { asObjects, asText } from '../json-value.ts';
import { numberParameter, textParameter } from '../parameter-value.ts';
import { binaryFrom } from '../binary-property.ts';
import { signToken } from './sign-token.ts';

type Body = Pick<WebhookResponse, 'body' | 'encoding'> & { contentType?: string; headers?: Record<string, string>; status?: number };

const json = (value: unknown): Body => ({ body: JSON.stringify(value ?? {}), encoding: 'utf8', contentType: 'application/json; charset=utf-8' });

/** The answer's value below a key of its own, when the options name one. */
function keyed(context: NodeContext, value: unknown): unknown {
  const key = textParameter(context, 'options.responseKey', 0);
  return key === '' ? value : { [key]: value };
}

async function fileBody(context: NodeContext, item: Item | undefined): Promise<Body> {
  const automatic = context.parameter('responseDataSource', 0, 'automatically') !== 'set';
  const name = automatic ? Object.keys(item?.binary ?? {})[0] ?? 'data' : textParameter(context, 'inputFieldName', 0, 'data');
  const file = binaryFrom(item, name, 0);
  const bytes = await context.binaries.get(file);
  return { body: Buffer.from(bytes).toString('base64'), encoding: 'base64', contentType: file.mimeType };
}

function jsonBody(context: NodeContext): Body {
  const written = context.parameter('responseBody', 0, '{}');
  const value = typeof written === 'string' ? parseLooseJson(written) : written;
  if (value !== undefined) return json(value);
  throw new WorkflowError('InvalidJson', 'The response body is not JSON. Check its brackets and quotes, or respond with text.', { parameter: 'responseBody', nonRetryable: true });
}

async function tokenBody(context: NodeContext): Promise<Body> {
  const payload = context.parameter('payload', 0, {});
  const token = signToken(typeof payload === 'string' ? parseLooseJson(payload) : payload, await context.credential('jwtAuth'), context.now());
  return json({ token });
}

async function bodyOf(context: NodeContext): Promise<Body> {
  const items = context.input();
  switch (textParameter(context, 'respondWith', 0, 'firstIncomingItem')) {
    case 'allIncomingItems': return json(keyed(context, items.map((item) => item.json)));
    case 'json': return jsonBody(context);
    case 'text': return { body: textParameter(context, 'responseBody', 0), encoding: 'utf8', contentType: 'text/html; charset=utf-8' };
    case 'binary': return fileBody(context, items[0]);
    case 'jwt': return tokenBody(context);
    case 'noData': return { body: '', encoding: 'utf8' };
    case 'redirect': return { body: '', encoding: 'utf8', status: 307, headers: { location: textParameter(context, 'redirectURL', 0) } };
    default: return json(keyed(context, items[0]?.json));
  }
}

function headersOf(context: NodeContext, body: Body): Record<string, string> {
  const headers: Record<string, string> = { ...(body.contentType && { 'content-type': body.contentType }), ...body.headers };
  for (const { name, value } of asObjects(context.parameter('options.responseHeaders.entries', 0))) headers[asText(name).toLowerCase()] = asText(value);
  return headers;
}

/** Answers the request that started the execution. */
export const respondToWebhookNode: NodeType = {
  type: 'respondToWebhook', displayName: 'Respond to Webhook', group: 'action', versions: [1, 1.1, 1.2, 1.3, 1.4, 1.5], effect: 'effectful', inputs: 1, outputs: ['main'],
  description: 'Answers the request of a Webhook node whose `responseMode` is responseNode. Only the first answer of an execution counts. The items go on unchanged.',
  shares: () => ['response'],
  parameters: [
    { name: 'respondWith', type: 'options', options: ['firstIncomingItem', 'allIncomingItems', 'json', 'text', 'binary', 'jwt', 'redirect', 'noData'], default: 'firstIncomingItem', description: 'What the answer holds.' },
    { name: 'responseBody', type: 'string', description: 'json and text: the body.' },
    { name: 'payload', type: 'json', description: 'jwt: the claims, signed with the credential jwtAuth.' },
    { name: 'redirectURL', type: 'string', description: 'redirect: where to.' },
    { name: 'responseDataSource', type: 'options', options: ['automatically', 'set'], default: 'automatically', description: 'binary: the first file of the item, or the one named below.' },
    { name: 'inputFieldName', type: 'string', default: 'data', description: 'binary: the property of the file.' },
    { name: 'options', type: 'collection', default: {}, description: '`responseCode`; `responseHeaders.entries`: [{name, value}]; `responseKey`: put incoming items below this key.' },
  ],
  async execute(context) {
    const body = await bodyOf(context);
    const status = numberParameter(context, 'options.responseCode', 0, body.status ?? 200);
    await context.respond({ status, headers: headersOf(context, body), body: body.body, encoding: body.encoding });
    return [[...context.input()]];
  },
};
