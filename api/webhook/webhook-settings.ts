import { z } from 'zod';
import { immediateResponse } from '../../runner/engine/webhook-response.ts';
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

/** A value that does not fit is an expression or a mistake. Where it protects something it counts as protection that we lack. */
const Parameters = z.looseObject({
  authentication: z.string().catch('unknown').default('none'),
  options: z.looseObject({
    rawBody: z.boolean().catch(true).default(false),
    binaryData: z.boolean().catch(true).default(false),
    ipWhitelist: z.string().catch('unknown').default(''),
    allowedOrigins: z.string().catch('').default('*'),
    noResponseBody: z.boolean().catch(false).default(false),
  }).catch({ rawBody: false, binaryData: false, ipWhitelist: 'unknown', allowedOrigins: '', noResponseBody: false }).prefault({}),
});
type Parameters = z.output<typeof Parameters>;

export function webhookSettings(parameters: JsonObject): WebhookSettings {
  const known = Parameters.parse(parameters);
  const received = immediateResponse({ name: 'Webhook', type: 'webhook', parameters });
  return {
    unsupported: unsupported(known),
    received: known.options.noResponseBody ? { ...received, body: '' } : received,
    allowedOrigin: (origin) => allowedOrigin(known.options.allowedOrigins, origin),
  };
}

function unsupported({ authentication, options }: Parameters): string | undefined {
  if (authentication !== 'none') return `the authentication ${authentication}`;
  if (options.ipWhitelist.trim() !== '') return 'a list of allowed addresses (ipWhitelist)';
  if (options.rawBody || options.binaryData) return 'the body as a file (rawBody)';
  return undefined;
}

function allowedOrigin(allowed: string, origin: string | undefined): string | undefined {
  const list = allowed.split(',').map((entry) => entry.trim());
  if (list.includes('*')) return '*';
  return origin !== undefined && list.includes(origin) ? origin : undefined;
}
