import type { IncomingMessage, ServerResponse } from 'node:http';
import { ExecutionMode } from '../../runner/engine/node-run.ts';
import type { FormTrigger } from '../../store/route.ts';
import type { Listeners } from '../../store/listeners.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';
import type { Accept } from '../webhook/accept.ts';
import { splitTarget } from '../webhook/path-pattern.ts';
import type { CallOptions } from '../webhook/take-call.ts';
import { formWaitingPath, redirect, sendSent } from './form-waiting.ts';
import { takeForm } from './take-form.ts';
import type { FormCall } from './take-form.ts';

/** Where forms of active workflows are: `/form/<namespace>/<path>`. */
export const formPrefix = '/form/';
/** Where they are while somebody tests them. */
export const formTestPrefix = '/form-test/';

export interface FormOptions extends CallOptions {
  /** The form at a path of a namespace. */
  find(namespace: string, path: string): Promise<{ workflow: string; trigger: FormTrigger } | undefined>;
  accept: Accept;
  listeners: Listeners;
  resumeTokens: Store['resumeTokens'];
}

/** Serves the forms of active workflows. Throws ApiError FormNotFound and what `takeForm` throws. */
export function formIngress(options: FormOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { namespace, path, search } = targetOf(request, formPrefix);
    const found = await options.find(namespace, path);
    if (!found) throw new ApiError('FormNotFound', `No active workflow in namespace ${namespace} has a form at /${path}.`);
    const { workflow, trigger } = found;
    await take(request, response, { options, namespace, search, trigger, formMode: 'production', deliver: async ({ item, executionId }) => (await options.accept({
      namespace, workflow, mode: ExecutionMode.Webhook, trigger: { node: trigger.node, items: [item] }, ...(executionId !== undefined && { id: executionId }),
    })).id });
  };
}

/** Serves the one form that somebody who tests a workflow waits for. */
export function formTestIngress(options: FormOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const { namespace, path, search } = targetOf(request, formTestPrefix);
    for (const listener of await options.listeners.waiting(namespace)) {
      const trigger = listener.triggers.find((one): one is FormTrigger => one.kind === 'Form' && one.path === path);
      if (!trigger) continue;
      await take(request, response, { options, namespace, search, trigger, formMode: 'test', async deliver({ item, executionId = options.files.newExecutionId() }) {
        if (!(await options.listeners.claim(listener.id, executionId))) throw new ApiError('TestNotListening', 'The one form that was listened for has come.');
        try {
          const { workflow, revision } = listener;
          return (await options.accept({ id: executionId, namespace, workflow, revision, mode: ExecutionMode.Manual, trigger: { node: trigger.node, items: [item] } })).id;
        } catch (error) {
          await options.listeners.unclaim(listener.id);
          throw error;
        }
      } });
      return;
    }
    throw new ApiError('TestNotListening', `Nobody listens for a form at /${path} in namespace ${namespace}.`);
  };
}

async function take(
  request: IncomingMessage, response: ServerResponse,
  { options, trigger, ...call }: Pick<FormCall, 'namespace' | 'search' | 'formMode' | 'deliver'> & { options: FormOptions; trigger: FormTrigger },
): Promise<void> {
  const { pages, options: parameters, credential } = trigger;
  const goesOn = pages || (parameters['responseMode'] ?? 'onReceived') !== 'onReceived';
  await takeForm(request, response, {
    options,
    call: {
      ...call, parameters, authentication: parameters['authentication'], credential,
      answer: ({ sent }, executionId) => {
        if (goesOn) redirect(response, formWaitingPath(executionId, options.resumeTokens));
        else sendSent(response, sent);
      },
    },
  });
}

function targetOf(request: IncomingMessage, prefix: string): { namespace: string; path: string; search: string } {
  const { segments: [namespace = '', ...segments], search } = splitTarget(request.url ?? '', prefix);
  return { namespace, path: segments.join('/'), search };
}
