import express from 'express';
import type { NextFunction, Request, Response } from 'express';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Log } from '../operator/kube/log.ts';
import { answerError } from './error-response.ts';
import type { Metrics } from './metrics.ts';
import { ApiError } from './problem.ts';
import { assignRequestId, requestIdOf } from './request-id.ts';
import type { Endpoint } from './rest/endpoint.ts';
import { openApiDocument } from './rest/openapi.ts';
import { restRouter, routeLabel } from './rest/router.ts';
import type { RestOptions } from './rest/router.ts';
import { webhookPrefix } from './webhook/ingress.ts';

export interface AppOptions {
  endpoints: readonly Endpoint[];
  rest: RestOptions;
  webhooks(request: IncomingMessage, response: ServerResponse): Promise<void>;
  version: string;
  baseUrl: string | undefined;
  metrics: Metrics;
  log: Log;
}

/** Everything on the public port. Webhooks go around Express: they are the hot path and need none of it. */
export function publicListener(options: AppOptions): RequestListener {
  const { metrics, log } = options;
  const app = restApp(options);
  return (request, response) => {
    const startedAt = performance.now();
    assignRequestId(request, response);
    if (options.rest.stopping.aborted) response.setHeader('connection', 'close');
    const webhook = request.url?.startsWith(webhookPrefix) === true;
    response.once('close', () => {
      const route = webhook ? `${webhookPrefix}{namespace}/{path}` : routeLabel(response);
      const seconds = (performance.now() - startedAt) / 1000;
      metrics.requests.inc({ method: request.method ?? '', route, status: response.statusCode });
      metrics.duration.observe({ route }, seconds);
      log.debug({ requestId: requestIdOf(response), method: request.method, route, status: response.statusCode, ms: seconds * 1000 }, 'Answered');
    });
    if (!webhook) {
      app(request, response);
      return;
    }
    options.webhooks(request, response).catch((error: unknown) => answerError(error, response, { log, metrics }));
  };
}

function restApp({ endpoints, rest, version, baseUrl, metrics, log }: AppOptions): express.Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  const document = openApiDocument(endpoints, { version, serverUrl: baseUrl ?? '' });
  app.get('/api/v1/openapi.json', (_request, response) => {
    response.json(document);
  });
  app.use('/api/v1', restRouter(endpoints, rest));
  app.use((request) => {
    throw new ApiError('NotFound', `There is nothing at ${request.path}.`);
  });
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    answerError(error, response, { log, metrics });
  });
  return app;
}
