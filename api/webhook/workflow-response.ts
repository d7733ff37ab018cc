import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { WebhookResponse } from '../../runner/engine/node-run.ts';
import { ApiError } from '../problem.ts';

/** Headers that belong to the connection, or that the server sets itself. */
const reserved = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding', 'upgrade', 'trailer', 'te', 'x-request-id', 'millrace-execution-id']);

/**
 * Answers with what a workflow says. Workflows share this origin with the API, so what they answer may not run as a page of it:
 * browsers get a sandbox policy, which no workflow can lift. Throws BadWorkflowResponse before anything is sent.
 */
export function sendWorkflowResponse(response: ServerResponse, answer: WebhookResponse, executionId: string): void {
  const { status } = answer;
  if (!Number.isInteger(status) || status < 200 || status > 599) throw bad(executionId, `the status ${String(status)}`);
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(answer.headers)) {
    if (reserved.has(name.toLowerCase())) continue;
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch (error) {
      throw bad(executionId, `the header ${JSON.stringify(name)}`, error);
    }
    headers.push([name, value]);
  }
  const bodiless = status === 204 || status === 205 || status === 304;
  const body = Buffer.from(answer.body, answer.encoding);
  for (const [name, value] of headers) response.setHeader(name, value);
  response.setHeader('content-security-policy', 'sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts');
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('millrace-execution-id', executionId);
  if (!bodiless) response.setHeader('content-length', body.length);
  response.writeHead(status);
  response.end(bodiless ? undefined : body);
}

function bad(executionId: string, what: string, cause?: unknown): ApiError {
  return new ApiError('BadWorkflowResponse', `The workflow answered with something that is not HTTP: ${what}.`, { details: { executionId }, cause });
}
