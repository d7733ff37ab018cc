import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { ExecutionStatus } from '../../runner/engine/node-run.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import { callerCredential } from '../../runner/nodes/webhook/caller-credential.ts';
import type { Waiting } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';
import { splitTarget } from './path-pattern.ts';
import { takeCall } from './take-call.ts';
import type { Call, CallOptions } from './take-call.ts';
import { webhookSettings } from './webhook-settings.ts';

/** Where calls that end a wait go: `/webhook-waiting/<execution>/<token>`, and a suffix when the node has one. */
export const waitingPrefix = '/webhook-waiting/';

export interface WaitingOptions extends CallOptions {
  store: Pick<Store, 'executions' | 'queue' | 'resumeTokens'>;
  baseUrl: string | undefined;
  /** Milliseconds for which a call is held that comes before its execution waits. Default 5,000. */
  earlyMs?: number;
}

const lookMs = 250;
/** Statuses of executions that may come to wait for the call: one that waits may have begun to between two looks, or waits for something else before. */
const underWay: readonly string[] = [ExecutionStatus.Queued, ExecutionStatus.Running, ExecutionStatus.Waiting];

/** Takes calls that end waits. Throws ApiError WaitNotFound, NotWaiting, MethodNotAllowed and what `takeCall` throws. */
export function waitingIngress(options: WaitingOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { segments: [executionId = '', token = '', ...suffix], search } = splitTarget(request.url ?? '', waitingPrefix);
    const waiting = await waitFor({ executionId, token, on: 'webhook', suffix: suffix.join('/') }, options);
    const parameters = waiting.request.parameters ?? {};
    const method = typeof parameters['httpMethod'] === 'string' ? parameters['httpMethod'] : 'GET';
    if (request.method !== method) throw new ApiError('MethodNotAllowed', `This wait is ended by ${method}.`, { headers: { allow: method } });
    const call: Call = {
      namespace: waiting.namespace,
      settings: webhookSettings({ ...parameters, authentication: parameters['incomingAuthentication'] ?? 'none' }, callerCredential(parameters['incomingAuthentication'], waiting.request.credentials)),
      responseMode: responseModeOf(parameters), params: {}, search, executionMode: waiting.mode === 'Manual' ? 'test' : 'production',
      webhookUrl: `${options.baseUrl ?? `http://${request.headers.host ?? 'localhost'}`}${waitingPrefix}${executionId}`,
      executionId,
      async deliver({ item, replyTo }) {
        await resume(options.store, { executionId, node: waiting.node, items: [item], ...(replyTo !== undefined && { replyTo }) });
        return executionId;
      },
    };
    await takeCall(request, response, { call, options });
  };
}

/** Ends the wait, or throws NotWaiting when somebody else has. */
export async function resume(store: WaitingOptions['store'], call: Parameters<Store['queue']['resume']>[0]): Promise<void> {
  if (!(await store.queue.resume(call))) throw new ApiError('NotWaiting', 'Another call has ended this wait.');
}

/**
 * What an execution waits for. A call often comes before its execution has got as far as the wait, whose address it has sent: it
 * is held for some seconds then. Throws WaitNotFound for what is not signed, is nowhere or waits elsewhere, and NotWaiting.
 */
export async function waitFor(
  { executionId, token, on, suffix }: { executionId: string; token: string; on: Waiting['on']; suffix: string },
  { store, earlyMs = 5000 }: Pick<WaitingOptions, 'store' | 'earlyMs'>,
): Promise<Waiting> {
  if (!store.resumeTokens.matches(executionId, token)) throw notFound();
  for (let waited = 0; ; waited += lookMs) {
    const waiting = await store.queue.waiting(executionId);
    if (waiting) {
      if (waiting.on !== on || suffixOf(waiting.request.parameters) !== suffix) throw notFound();
      return waiting;
    }
    const [execution] = await store.executions.statuses([executionId]);
    if (!execution) throw notFound();
    if (!underWay.includes(execution.status) || waited >= earlyMs) {
      throw new ApiError('NotWaiting', `The execution is ${execution.status} and waits for no call.`, { details: { status: execution.status } });
    }
    await pause(lookMs);
  }
}

/** Every wrong address gets the same answer. */
function notFound(): ApiError {
  return new ApiError('WaitNotFound', 'Nothing waits for a call here.');
}

function suffixOf(parameters: JsonObject = {}): string {
  const { options } = parameters;
  const suffix = typeof options === 'object' && options !== null && 'webhookSuffix' in options ? options.webhookSuffix : '';
  return typeof suffix === 'string' ? suffix.replaceAll(/^\/+|\/+$/g, '') : '';
}

function responseModeOf({ responseMode }: JsonObject): Call['responseMode'] {
  return responseMode === 'lastNode' || responseMode === 'responseNode' ? responseMode : 'onReceived';
}
