import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../../runner/engine/item.ts';
import type { CredentialReference } from '../../runner/engine/credential.ts';
import { admitCaller, callerPolicy } from '../caller/caller-policy.ts';
import { ApiError } from '../problem.ts';
import { receiveBody } from '../webhook/receive-body.ts';
import type { CallOptions, Delivery } from '../webhook/take-call.ts';
import { queryOf } from '../webhook/trigger-item.ts';
import { formOf } from './form.ts';
import type { Form } from './form.ts';
import { formBody } from './form-page.ts';
import { sendPage } from './page.ts';
import { checkSubmission, firstValues } from './submission.ts';

/** One page of a form that somebody looks at or sends. */
export interface FormCall {
  namespace: string;
  /** Of the node. */
  parameters: JsonObject;
  authentication: unknown;
  credential: CredentialReference | undefined;
  /** The part of the URL after `?`. */
  search: string;
  formMode: 'production' | 'test';
  /** The execution that waits for this page. */
  executionId?: string;
  /** Makes what was sent durable; resolves to the execution's id. Throws ApiError. */
  deliver(delivery: Omit<Delivery, 'replyTo'>): Promise<string>;
  /** Shows the person what comes next. */
  answer(form: Form, executionId: string): void;
}

const formBodySettings = { rawBody: false, binaryData: false, propertyName: undefined };
const nothing = new Map<number, never>();

/** Shows the page, or takes what was sent: with mistakes the page is shown again with them. Throws ApiError. */
export async function takeForm(request: IncomingMessage, response: ServerResponse, { call, options }: { call: FormCall; options: CallOptions }): Promise<void> {
  const { namespace, parameters, credential, search, formMode } = call;
  if (request.method !== 'GET' && request.method !== 'HEAD' && request.method !== 'POST') {
    throw new ApiError('MethodNotAllowed', 'A form is read with GET and sent with POST.', { headers: { allow: 'GET, HEAD, POST' } });
  }
  const nodeOptions = typeof parameters['options'] === 'object' && parameters['options'] !== null ? { ...parameters['options'] } : undefined;
  const policy = callerPolicy(call.authentication, nodeOptions, credential);
  if (policy) await admitCaller(request, namespace, { policy, checks: options.checks });
  const form = formOf(parameters);
  const query = queryOf(search);
  if (request.method !== 'POST') {
    sendPage(response, { status: 200, title: form.title, body: formBody(form, { entered: firstValues(form, query), errors: nothing }) });
    return;
  }
  const own = call.executionId === undefined ? {} : { executionId: call.executionId };
  await receiveBody(request, { settings: formBodySettings, limits: options.limits, budget: options.budget, files: options.files, ...own }, async ({ body, files = {}, executionId }) => {
    const submittedAt = new Date(options.checks.now()).toISOString();
    const { entered, errors, item } = checkSubmission(form, { body, files }, { submittedAt, formMode, query });
    if (errors.size > 0) {
      sendPage(response, { status: 422, title: form.title, body: formBody(form, { entered, errors }) });
      return;
    }
    call.answer(form, await call.deliver({ item, ...(executionId !== undefined && { executionId }) }));
  });
}
