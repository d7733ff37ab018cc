import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { ExecutionMode } from '../../runner/engine/node-run.ts';
import type { Limits } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import { ApiError } from '../problem.ts';
import type { Accept } from './accept.ts';
import { allowOrigin, answerOptions } from './cors.ts';
import { splitTarget } from './path-pattern.ts';
import type { RouteMatch, Webhook } from './route-table.ts';
import { takeCall } from './take-call.ts';
import type { Call, CallOptions } from './take-call.ts';

/** Where webhooks answer: `/webhook/<namespace>/<path>`. */
export const webhookPrefix = '/webhook/';

export interface IngressOptions extends CallOptions {
  /** The route for a method at a path; looks again in the store on a miss. */
  find(namespace: string, method: string, segments: readonly string[]): Promise<RouteMatch | undefined>;
  accept: Accept;
  limits: Limits;
  metrics: Metrics;
  /** Start of webhook URLs; absent: what the caller called us. */
  baseUrl: string | undefined;
}

/**
 * Takes webhook calls: finds the workflow, stores the execution, answers. Nothing is answered with success before the
 * execution is durable. Throws ApiError for the caller to answer.
 */
export function webhookIngress(options: IngressOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return (request, response) => serve(request, response, options);
}

async function serve(request: IncomingMessage, response: ServerResponse, options: IngressOptions): Promise<void> {
  const { method = 'GET' } = request;
  const { segments: [namespace = '', ...segments], search } = splitTarget(request.url ?? '', webhookPrefix);
  const match = await options.find(namespace, method, segments);
  if (!match) throw new ApiError('WebhookNotFound', `No active workflow in namespace ${namespace} answers at /${segments.join('/')}.`);
  const { webhook, params } = match;
  if (!webhook) {
    await answerWithoutWorkflow(request, response, { allow: match.allow, find: (other) => options.find(namespace, other, segments) });
    return;
  }
  allowOrigin(request, response, webhook);
  const idempotencyKey = idempotencyKeyOf(request);
  const call: Call = {
    namespace, settings: webhook.settings, responseMode: webhook.trigger.responseMode, params, search, executionMode: 'production',
    webhookUrl: urlOf(webhook, request, options.baseUrl),
    ...(webhook.trigger.options['multipleMethods'] === true ? { method } : {}),
    async deliver({ item, executionId, replyTo }) {
      const startedAt = performance.now();
      const { id } = await options.accept({
        namespace, workflow: webhook.workflow, mode: ExecutionMode.Webhook,
        trigger: { node: webhook.trigger.node, items: [item] },
        ...(executionId !== undefined && { id: executionId }), ...(idempotencyKey !== undefined && { idempotencyKey }), ...(replyTo !== undefined && { replyTo }),
      });
      options.metrics.accept.observe((performance.now() - startedAt) / 1000);
      return id;
    },
  };
  await takeCall(request, response, { call, options });
}

/** Preflights and probes start nothing; other methods are told which ones would. */
async function answerWithoutWorkflow(
  request: IncomingMessage,
  response: ServerResponse,
  { allow, find }: { allow: readonly string[]; find: (method: string) => Promise<RouteMatch | undefined> },
): Promise<void> {
  const readable = allow.includes('GET');
  const methods = ['OPTIONS', ...(readable ? ['HEAD'] : []), ...allow].join(', ');
  if (request.method === 'OPTIONS') {
    const wanted = request.headers['access-control-request-method'];
    const webhook = wanted === undefined ? undefined : (await find(wanted))?.webhook;
    answerOptions(request, response, { webhook, allow: methods });
  } else if (request.method === 'HEAD' && readable) {
    response.writeHead(200, { allow: methods });
    response.end();
  } else {
    throw new ApiError('MethodNotAllowed', `No workflow answers ${request.method} here.`, { headers: { allow: methods } });
  }
}

function urlOf({ namespace, pattern }: Webhook, request: IncomingMessage, baseUrl: string | undefined): string {
  const base = baseUrl ?? `http://${request.headers.host ?? 'localhost'}`;
  return `${base}${webhookPrefix}${namespace}/${pattern.segments.join('/')}`;
}

function idempotencyKeyOf(request: IncomingMessage): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e][\x20-\x7e]{0,254}$/.test(key)) return key;
  throw new ApiError('InvalidIdempotencyKey', 'The header Idempotency-Key cannot be used.');
}
