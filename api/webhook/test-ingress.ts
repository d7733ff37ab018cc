import type { IncomingMessage, ServerResponse } from 'node:http';
import { ExecutionMode } from '../../runner/engine/node-run.ts';
import type { Listener, Listeners } from '../../store/listeners.ts';
import { ApiError } from '../problem.ts';
import type { Accept } from './accept.ts';
import { allowOrigin } from './cors.ts';
import { splitTarget } from './path-pattern.ts';
import { RouteTable } from './route-table.ts';
import type { RouteMatch } from './route-table.ts';
import { takeCall } from './take-call.ts';
import type { Call, CallOptions } from './take-call.ts';

/** Where webhooks answer while somebody tests them: `/webhook-test/<namespace>/<path>`. */
export const testPrefix = '/webhook-test/';

export interface TestOptions extends CallOptions {
  listeners: Listeners;
  accept: Accept;
  baseUrl: string | undefined;
}

/** Takes the one call that a person who tests a workflow waits for. Throws ApiError TestNotListening and what `takeCall` throws. */
export function testIngress(options: TestOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { method = 'GET' } = request;
    const { segments: [namespace = '', ...segments], search } = splitTarget(request.url ?? '', testPrefix);
    const found = await listenerFor(options.listeners, namespace, { method, segments });
    if (!found) throw new ApiError('TestNotListening', `Nobody listens for ${method} at /${segments.join('/')} in namespace ${namespace}.`);
    const { listener, match: { webhook, params } } = found;
    allowOrigin(request, response, webhook);
    const call: Call = {
      namespace, settings: webhook.settings, responseMode: webhook.trigger.responseMode, params, search, executionMode: 'test',
      webhookUrl: `${options.baseUrl ?? `http://${request.headers.host ?? 'localhost'}`}${testPrefix}${namespace}/${webhook.pattern.segments.join('/')}`,
      ...(webhook.trigger.options['multipleMethods'] === true ? { method } : {}),
      async deliver({ item, executionId = options.files.newExecutionId(), replyTo }) {
        if (!(await options.listeners.claim(listener.id, executionId))) throw new ApiError('TestNotListening', 'The one call that was listened for has come.');
        try {
          const { workflow, revision } = listener;
          const trigger = { node: webhook.trigger.node, items: [item] };
          return (await options.accept({ id: executionId, namespace, workflow, revision, mode: ExecutionMode.Manual, trigger, ...(replyTo !== undefined && { replyTo }) })).id;
        } catch (error) {
          await options.listeners.unclaim(listener.id);
          throw error;
        }
      },
    };
    await takeCall(request, response, { call, options });
  };
}

type Found = { listener: Listener; match: RouteMatch & { webhook: NonNullable<RouteMatch['webhook']> } };

/** The newest listener whose workflow has a webhook for the request: its paths need not be free, nor the workflow active. */
async function listenerFor(listeners: Listeners, namespace: string, { method, segments }: { method: string; segments: readonly string[] }): Promise<Found | undefined> {
  for (const listener of await listeners.waiting(namespace)) {
    const table = new RouteTable();
    table.put({
      namespace, workflow: listener.workflow, triggers: listener.triggers, active: true,
      uid: '', stable: listener.revision, weight: 0, pool: '', priority: 0, save: { success: 'All', failure: 'All' }, epoch: 0,
    });
    const match = table.find(namespace, method, segments);
    if (match?.webhook) return { listener, match: { ...match, webhook: match.webhook } };
  }
  return undefined;
}
