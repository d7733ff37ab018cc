import type { Item } from './item.ts';
import { ExecutionStatus } from './node-run.ts';
import type { ExecutionResult, WebhookResponse } from './node-run.ts';
import type { WorkflowNode } from './workflow.ts';

/** Whose settings say how a caller is answered: a webhook, or a node that waited for the call. */
export type Answering = Partial<WorkflowNode>;

/** The answer of a webhook that does not wait for its execution: as soon as the execution is accepted. */
export function immediateResponse(trigger: Answering): WebhookResponse {
  const { responseData } = optionsOf(trigger);
  if (typeof responseData === 'string') return answer(trigger, responseData, 'text/html; charset=utf-8');
  return answer(trigger, { message: 'Workflow was started' });
}

/** Whether the webhook is answered before its execution ends. */
export function respondsImmediately(trigger: Answering): boolean {
  return (trigger.parameters?.['responseMode'] ?? 'onReceived') === 'onReceived';
}

/**
 * The answer of a webhook whose execution ended without answering by itself: what its settings make of the last node's
 * items, 500 when it failed.
 */
export function finalResponse(trigger: Answering, result: ExecutionResult): WebhookResponse {
  if (respondsImmediately(trigger)) return immediateResponse(trigger);
  if (result.status !== ExecutionStatus.Succeeded) return json(500, { message: 'Error in workflow' });
  if (trigger.parameters?.['responseMode'] === 'responseNode') {
    return json(500, { code: 0, message: 'No Respond to Webhook node found in the workflow' });
  }
  return lastNodeResponse(trigger, lastItems(result));
}

function lastNodeResponse(trigger: Answering, items: readonly Item[]): WebhookResponse {
  const data = trigger.parameters?.['responseData'] ?? 'firstEntryJson';
  if (data === 'noData') return { ...answer(trigger, ''), body: '' };
  if (data === 'allEntries') return answer(trigger, items.map((item) => item.json));
  const [first] = items;
  if (!first) return json(500, { code: 0, message: 'No item to return got found' });
  const { responsePropertyName, responseContentType } = optionsOf(trigger);
  const value = typeof responsePropertyName === 'string' && responsePropertyName !== '' ? valueAt(first.json, responsePropertyName) : first.json;
  return answer(trigger, value, typeof responseContentType === 'string' ? responseContentType : undefined);
}

/** The first output with items of the run that ended last. */
function lastItems(result: ExecutionResult): readonly Item[] {
  const outputs = result.runs.findLast(({ node }) => node === result.lastNode)?.outputs ?? [];
  return outputs[0] ?? [];
}

function answer(trigger: Answering, value: unknown, contentType?: string): WebhookResponse {
  const headers: Record<string, string> = {};
  const text = typeof value === 'string';
  headers['content-type'] = contentType ?? (text ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8');
  for (const { name, value: header } of headerEntries(trigger)) headers[name.toLowerCase()] = header;
  const body = text ? value : JSON.stringify(value) ?? '';
  return { status: statusOf(trigger), headers, body: optionsOf(trigger)['noResponseBody'] === true ? '' : body, encoding: 'utf8' };
}

function json(status: number, value: unknown): WebhookResponse {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body: JSON.stringify(value), encoding: 'utf8' };
}

/** typeVersion 1 keeps the status in `responseCode`, later ones in `options.responseCode.values`. */
function statusOf(trigger: Answering): number {
  const option = optionsOf(trigger)['responseCode'];
  const values = isObject(option) && isObject(option['values']) ? option['values'] : undefined;
  const chosen = values?.['responseCode'] === 'customCode' ? values['customCode'] : values?.['responseCode'];
  const status = Number(chosen ?? trigger.parameters?.['responseCode'] ?? 200);
  return Number.isInteger(status) && status >= 200 && status <= 599 ? status : 200;
}

function headerEntries(trigger: Answering): { name: string; value: string }[] {
  const option = optionsOf(trigger)['responseHeaders'];
  const entries = isObject(option) && Array.isArray(option['entries']) ? (option['entries'] as unknown[]) : [];
  return entries.flatMap((entry) => {
    if (!isObject(entry) || typeof entry['name'] !== 'string' || typeof entry['value'] !== 'string') return [];
    return [{ name: entry['name'], value: entry['value'] }];
  });
}

function valueAt(from: unknown, path: string): unknown {
  let value = from;
  for (const key of path.split('.')) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

function optionsOf(trigger: Answering): Record<string, unknown> {
  const options = trigger.parameters?.['options'];
  return isObject(options) ? options : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
