import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { ExecutionStatus } from '../../runner/engine/node-run.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import { completionType } from '../../runner/nodes/form/completion.ts';
import { callerCredential } from '../../runner/nodes/webhook/caller-credential.ts';
import type { Execution, Reply } from '../../store/executions.ts';
import type { Waiting } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';
import { splitTarget } from '../webhook/path-pattern.ts';
import type { CallOptions } from '../webhook/take-call.ts';
import { resume } from '../webhook/waiting-ingress.ts';
import { sendWorkflowResponse } from '../webhook/workflow-response.ts';
import { formOf, safeUrl } from './form.ts';
import { html } from './html.ts';
import { messagePage, sendPage } from './page.ts';
import { takeForm } from './take-form.ts';

/** Where people are between the pages of a form: `/form-waiting/<execution>/<token>`. */
export const formWaitingPrefix = '/form-waiting/';

export interface FormWaitingOptions extends CallOptions {
  store: Pick<Store, 'executions' | 'queue' | 'resumeTokens' | 'routes'>;
  /** Milliseconds for which a request is held for the next page. Default 5,000. */
  holdMs?: number;
}

const lookMs = 250;
const ended: readonly string[] = [ExecutionStatus.Succeeded, ExecutionStatus.Failed, ExecutionStatus.Canceled];
const Completion = z.object({ title: z.string(), message: z.string() });

/** The address of an execution for the person who fills its form in. */
export function formWaitingPath(executionId: string, tokens: Store['resumeTokens']): string {
  return `${formWaitingPrefix}${executionId}/${tokens.of(executionId)}`;
}

/** Shows the page that an execution waits for, takes it, and says how the form ended. Throws ApiError. */
export function formWaiting(options: FormWaitingOptions): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { store } = options;
  return async (request, response) => {
    const { segments: [executionId = '', token = ''], search } = splitTarget(request.url ?? '', formWaitingPrefix);
    if (!store.resumeTokens.matches(executionId, token)) throw new ApiError('WaitNotFound', 'Nothing waits for a form here.');
    const { waiting, execution, reply } = await nextPage(executionId, options);
    if (waiting) {
      await takeWaiting(request, response, { waiting, executionId, search, options });
      return;
    }
    if (reply?.response && await sendAnswer(response, { execution, response: reply.response, store })) return;
    if (ended.includes(execution.status)) await sendEnd(response, execution, store);
    else sendPage(response, { status: 200, ...messagePage('One moment, please', 'This page goes on by itself.'), refresh: '2' });
  };
}

/** As much of an execution as there is to know of one that is not kept. */
type Known = Pick<Execution, 'id' | 'namespace' | 'workflow' | 'status'>;

interface Next {
  waiting: Waiting | undefined;
  execution: Known;
  reply: Reply | undefined;
}

/** Looks for a page to fill in, an answer or the end of the execution, for some seconds. */
async function nextPage(executionId: string, { store, replies, holdMs = 5000 }: FormWaitingOptions): Promise<Next> {
  for (let waited = 0; ; waited += lookMs) {
    const waiting = await store.queue.waiting(executionId);
    const execution = await store.executions.get(executionId);
    if (!execution) return notKept(executionId, replies);
    if (waiting?.on === 'form') return { waiting, execution, reply: undefined };
    const over = ended.includes(execution.status);
    const reply = await replyOf(replies, executionId, over ? 2000 : lookMs);
    if (reply || over || waited >= holdMs) return { waiting: undefined, execution, reply };
    await pause(lookMs);
  }
}

/** An execution that is kept in no history has an answer for a while after its end. */
async function notKept(id: string, replies: Store['replies']): Promise<Next> {
  const reply = await replyOf(replies, id, 2000);
  if (!reply) throw new ApiError('ExecutionNotFound', 'The execution of this form is not kept any more.');
  return { waiting: undefined, execution: { id, namespace: '', workflow: '', status: reply.status }, reply };
}

/** The answer of the workflow, if there is one by now. */
async function replyOf(replies: Store['replies'], executionId: string, ms: number): Promise<Reply | undefined> {
  const signal = AbortSignal.timeout(ms);
  try {
    return await replies.wait(executionId, { signal });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

async function takeWaiting(
  request: IncomingMessage, response: ServerResponse,
  { waiting, executionId, search, options }: { waiting: Waiting; executionId: string; search: string; options: FormWaitingOptions },
): Promise<void> {
  const { namespace, node, request: { parameters = {}, credentials } } = waiting;
  const authentication = parameters['incomingAuthentication'] ?? 'none';
  await takeForm(request, response, {
    options,
    call: {
      namespace, parameters, authentication, credential: callerCredential(authentication, credentials), search, executionId,
      formMode: waiting.mode === 'Manual' ? 'test' : 'production',
      async deliver({ item }) {
        await resume(options.store, { executionId, node, items: [item] });
        return executionId;
      },
      answer: () => redirect(response, formWaitingPath(executionId, options.store.resumeTokens)),
    },
  });
}

/** Goes on with GET, so that reloading the next page sends nothing again. */
export function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'content-length': 0, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  response.end();
}

/** Sends what the workflow says to the person, if it says anything that is for people. */
async function sendAnswer(response: ServerResponse, { execution, response: answer, store }: { execution: Known; response: NonNullable<Reply['response']>; store: FormWaitingOptions['store'] }): Promise<boolean> {
  const { location } = answer.headers;
  if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
    sendElsewhere(response, location);
    return true;
  }
  if (answer.headers['content-type'] === completionType) {
    const completion = Completion.safeParse(JSON.parse(answer.body)).data;
    sendPage(response, { status: 200, ...messagePage(completion?.title ?? '', completion?.message ?? '') });
    return true;
  }
  if ((await triggerOf(execution, store))?.['responseMode'] !== 'responseNode') return false;
  sendWorkflowResponse(response, answer, execution.id);
  return true;
}

async function sendEnd(response: ServerResponse, execution: Known, store: FormWaitingOptions['store']): Promise<void> {
  if (execution.status !== ExecutionStatus.Succeeded) {
    sendPage(response, { status: 200, ...messagePage('There was a problem', 'What you sent has arrived, but it could not be processed to the end.') });
    return;
  }
  sendSent(response, formOf((await triggerOf(execution, store)) ?? {}).sent);
}

/** Thanks for a form that was sent, as its node says. */
export function sendSent(response: ServerResponse, sent: ReturnType<typeof formOf>['sent']): void {
  if ('redirect' in sent) sendElsewhere(response, sent.redirect);
  else sendPage(response, { status: 200, ...messagePage('Thank you', sent.text) });
}

/** By a page and not by a redirect: browsers let no form lead to another site, however many answers lie between. */
function sendElsewhere(response: ServerResponse, location: string): void {
  const url = safeUrl(location);
  if (url === undefined) sendPage(response, { status: 200, ...messagePage('Thank you', '') });
  else sendPage(response, { status: 200, title: 'Thank you', body: html`<h1>Thank you</h1><p><a href="${url}">Continue</a></p>`, refresh: `0; url=${url}` });
}

/** Parameters of the form that started the execution, as they are now. */
async function triggerOf({ namespace, workflow }: Known, { routes }: FormWaitingOptions['store']): Promise<JsonObject | undefined> {
  const route = await routes.get({ namespace, workflow });
  return route?.triggers.find(({ kind }) => kind === 'Form')?.options;
}
