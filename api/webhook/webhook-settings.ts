import { z } from 'zod';
import { immediateResponse } from '../../runner/engine/webhook-response.ts';
import { unservedOption } from '../../runner/nodes/webhook/unserved.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import type { WebhookResponse } from '../../runner/engine/node-run.ts';

/** What the ingress itself needs of a webhook node's parameters. */
export interface WebhookSettings {
  /** What the ingress cannot honour and must not ignore, such as an authentication it cannot check. */
  unsupported: string | undefined;
  /** The answer when the caller does not wait for the workflow. */
  received: WebhookResponse;
  /** Value of Access-Control-Allow-Origin for this caller, or undefined for none. */
  allowedOrigin(origin: string | undefined): string | undefined;
}

/** What is no text or flag is an expression or a mistake, and counts as the stricter value. */
const Options = z.looseObject({
  allowedOrigins: z.string().catch('').default('*'),
  noResponseBody: z.boolean().catch(false).default(false),
}).catch({ allowedOrigins: '', noResponseBody: false }).prefault({});

export function webhookSettings(parameters: JsonObject): WebhookSettings {
  const options = Options.parse(parameters['options']);
  const received = immediateResponse({ name: 'Webhook', type: 'webhook', parameters });
  return {
    unsupported: unservedOption(parameters),
    received: options.noResponseBody ? { ...received, body: '' } : received,
    allowedOrigin: (origin) => allowedOrigin(options.allowedOrigins, origin),
  };
}

function allowedOrigin(allowed: string, origin: string | undefined): string | undefined {
  const list = allowed.split(',').map((entry) => entry.trim());
  if (list.includes('*')) return '*';
  return origin !== undefined && list.includes(origin) ? origin : undefined;
}
