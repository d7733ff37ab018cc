import { parseBody } from '../../api/webhook/parse-body.ts';
import { matchPattern, parsePattern, splitPath } from '../../api/webhook/path-pattern.ts';
import { triggerItem } from '../../api/webhook/trigger-item.ts';
import type { Item } from '../../runner/engine/item.ts';
import type { WorkflowNode } from '../../runner/engine/workflow.ts';
import type { Call } from './case.ts';

/** The item a webhook starts with, made as the API makes it. Recordings keep only these headers: x-* and content-type. */
export async function webhookItem(hook: WorkflowNode, call: Call, baseUrl: string): Promise<Item> {
  const configured = hook.parameters?.['path'];
  const own = typeof configured === 'string' ? configured : (hook.webhookId ?? '');
  const path = call.path ?? `/webhook/${own}`;
  const headers = Object.fromEntries(Object.entries(call.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  if (call.body !== undefined) headers['content-type'] ??= 'application/json';
  const raw = call.rawBody ?? (call.body === undefined ? '' : JSON.stringify(call.body));
  const body = await parseBody(Buffer.from(raw), headers['content-type']);
  const params = matchPattern(parsePattern(own), splitPath(path).slice(1)) ?? {};
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-') || name === 'content-type'));
  return triggerItem({ headers: kept, params, search: (call.query ?? '').replace(/^\?/, ''), body, webhookUrl: `${baseUrl}/webhook/${own}` });
}
