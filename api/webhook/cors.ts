import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Webhook } from './route-table.ts';

/** Lets pages of the origins that the webhook names read its answer. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse, webhook: Webhook): void {
  const origin = webhook.settings.allowedOrigin(request.headers.origin);
  if (origin === undefined) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', 'millrace-execution-id, x-request-id');
  if (origin !== '*') response.setHeader('vary', 'Origin');
}

/** Answers OPTIONS; as a browser's preflight when it names the method it is going to use and `webhook` takes that one. */
export function answerOptions(request: IncomingMessage, response: ServerResponse, { webhook, allow }: { webhook: Webhook | undefined; allow: string }): void {
  if (webhook) {
    allowOrigin(request, response, webhook);
    response.setHeader('access-control-allow-methods', allow);
    response.setHeader('access-control-allow-headers', request.headers['access-control-request-headers'] ?? '*');
    response.setHeader('access-control-max-age', '300');
  }
  response.setHeader('allow', allow);
  response.writeHead(204);
  response.end();
}
