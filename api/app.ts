import express from 'express';
import type { NextFunction, Request, Response } from 'express';
import type { RequestListener } from 'node:http';
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
import type { Handler } from './webhook/in-flight.ts';

export interface AppOptions {
  endpoints: readonly Endpoint[];
  rest: RestOptions;
  /** What is served around Express, by the beginning of its URLs. */
  prefixes: readonly Prefix[];
  version: string;
  baseUrl: string | undefined;
  metrics: Metrics;
  log: Log;
}

export interface Prefix {
  prefix: string;
  /** Pattern of its URLs, for metrics. */
  route: string;
  handle: Handler;
}

/** Everything on the public port. Webhooks go around Express: they are the hot path and need none of it. */
export function publicListener(options: AppOptions): RequestListener {
  const { metrics, log } = options;
  const app = restApp(options);
  return (request, response) => {
    const startedAt = performance.now();
    assignRequestId(request, response);
    if (options.rest.stopping.aborted) response.setHeader('connection', 'close');
    const direct = options.prefixes.find(({ prefix }) => request.url?.startsWith(prefix) === true);
    response.once('close', () => {
      const route = direct?.route ?? routeLabel(response);
      const seconds = (performance.now() - startedAt) / 1000;
      metrics.requests.inc({ method: request.method ?? '', route, status: response.statusCode });
      metrics.duration.observe({ route }, seconds);
      log.debug({ requestId: requestIdOf(response), method: request.method, route, status: response.statusCode, ms: seconds * 1000 }, 'Answered');
    });
    if (!direct) {
      app(request, response);
      return;
    }
    direct.handle(request, response).catch((error: unknown) => answerError(error, response, { log, metrics }));
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
