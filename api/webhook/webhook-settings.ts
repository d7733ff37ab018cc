import { z } from 'zod';
import { immediateResponse } from '../../runner/engine/webhook-response.ts';
import type { CredentialReference } from '../../runner/engine/credential.ts';
import { unservedOption } from '../../runner/nodes/webhook/unserved.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import type { WebhookResponse } from '../../runner/engine/node-run.ts';
import { callerPolicy } from '../caller/caller-policy.ts';
import type { CallerPolicy } from '../caller/caller-policy.ts';
import type { BodySettings } from './receive-body.ts';

/** What the ingress itself needs of a webhook node's parameters. */
export interface WebhookSettings {
  /** What the ingress cannot honour and must not ignore, such as an authentication it cannot check. */
  unsupported: string | undefined;
  /** Who may call; undefined: everybody. */
  callers: CallerPolicy | undefined;
  body: BodySettings;
  /** The answer when the caller does not wait for the workflow. */
  received: WebhookResponse;
  /** Value of Access-Control-Allow-Origin for this caller, or undefined for none. */
  allowedOrigin(origin: string | undefined): string | undefined;
}

/** What is no text or flag is an expression or a mistake, and counts as the stricter value. */
const Options = z.looseObject({
  allowedOrigins: z.string().catch('').default('*'),
  noResponseBody: z.boolean().catch(false).default(false),
  rawBody: z.boolean().catch(false).default(false),
  binaryData: z.boolean().catch(false).default(false),
  binaryPropertyName: z.string().min(1).max(256).optional().catch(undefined),
}).catch({ allowedOrigins: '', noResponseBody: false, rawBody: false, binaryData: false }).prefault({});

/** Settings of a webhook, or of a wait for one, whose `authentication` is called `incomingAuthentication`. */
export function webhookSettings(parameters: JsonObject, credential?: CredentialReference): WebhookSettings {
  const options = Options.parse(parameters['options']);
  const received = immediateResponse({ name: 'Webhook', type: 'webhook', parameters });
  return {
    unsupported: unservedOption(parameters),
    callers: callerPolicy(parameters['authentication'], optionsOf(parameters), credential),
    body: { rawBody: options.rawBody, binaryData: options.binaryData, propertyName: options.binaryPropertyName },
    received: options.noResponseBody ? { ...received, body: '' } : received,
    allowedOrigin: (origin) => allowedOrigin(options.allowedOrigins, origin),
  };
}

function optionsOf({ options }: JsonObject): JsonObject | undefined {
  return options === undefined ? undefined : { ...(options as object) };
}

function allowedOrigin(allowed: string, origin: string | undefined): string | undefined {
  const list = allowed.split(',').map((entry) => entry.trim());
  if (list.includes('*')) return '*';
  return origin !== undefined && list.includes(origin) ? origin : undefined;
}
