import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Item } from '../../runner/engine/item.ts';
import type { Store } from '../../store/store.ts';
import { admitCaller } from '../caller/caller-policy.ts';
import type { CallerChecks } from '../caller/caller-policy.ts';
import type { Limits } from '../config.ts';
import { ApiError } from '../problem.ts';
import { awaitReply } from './await-reply.ts';
import type { ByteBudget } from './read-body.ts';
import { receiveBody } from './receive-body.ts';
import type { FileStore } from './receive-body.ts';
import { triggerItem } from './trigger-item.ts';
import type { WebhookSettings } from './webhook-settings.ts';
import { sendWorkflowResponse } from './workflow-response.ts';

/** What an execution is started or goes on with. */
export interface Delivery {
  item: Item;
  /** Files of the item are stored for this execution. */
  executionId?: string;
  /** Who waits for the answer. */
  replyTo?: string;
}

/** One request at a webhook, a test of one or a wait for one. */
export interface Call {
  namespace: string;
  settings: WebhookSettings;
  responseMode: 'onReceived' | 'lastNode' | 'responseNode';
  params: Record<string, string>;
  /** The part of the URL after `?`. */
  search: string;
  /** The full URL without query. */
  webhookUrl: string;
  executionMode: 'production' | 'test';
  /** Told to webhooks with an output per method. */
  method?: string;
  /** The execution that waits for this call. */
  executionId?: string;
  /** Makes it durable; resolves to the execution's id. Throws ApiError. */
  deliver(delivery: Delivery): Promise<string>;
}

export interface CallOptions {
  replies: Store['replies'];
  files: FileStore;
  budget: ByteBudget;
  limits: Pick<Limits, 'bodyBytes' | 'fileBytes' | 'responseMs'>;
  checks: CallerChecks;
}

/** Lets the caller in, reads the request, delivers it and answers. Nothing is answered with success before it is durable. */
export async function takeCall(request: IncomingMessage, response: ServerResponse, { call, options }: { call: Call; options: CallOptions }): Promise<void> {
  const { settings, params, search, webhookUrl, executionMode, method } = call;
  const { limits, budget, files, replies } = options;
  if (settings.unsupported !== undefined) throw new ApiError('WebhookNotServed', `This webhook asks for ${settings.unsupported}, which the server cannot do.`);
  const caller = settings.callers && await admitCaller(request, call.namespace, { policy: settings.callers, checks: options.checks });
  const waits = call.responseMode !== 'onReceived';
  const executionId = call.executionId === undefined ? {} : { executionId: call.executionId };
  const id = await receiveBody(request, { settings: settings.body, limits, budget, files, ...executionId }, async (received) => {
    const headers = caller ? without(request.headers, caller.header) : request.headers;
    const item = triggerItem({
      headers, params, search, body: received.body, webhookUrl, executionMode,
      ...(method === undefined ? {} : { method }), ...(caller?.claims && { jwtPayload: caller.claims }), ...(received.files && { files: received.files }),
    });
    return call.deliver({ item, ...(received.executionId !== undefined && { executionId: received.executionId }), ...(waits && { replyTo: replies.address }) });
  });
  const answer = waits ? await awaitReply(replies, { executionId: id, timeoutMs: limits.responseMs, response }) : settings.received;
  if (answer) sendWorkflowResponse(response, answer, id);
}

/** The header that proved who the caller is has served its purpose: executions are stored, and shown to people. */
function without(headers: IncomingHttpHeaders, name: string): IncomingHttpHeaders {
  const { [name]: _, ...rest } = headers;
  return rest;
}
