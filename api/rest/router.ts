import type { ServerResponse } from 'node:http';
import { Router } from 'express';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Auth, User } from '../auth/kubernetes-auth.ts';
import { ApiError } from '../problem.ts';
import { requestIdOf } from '../request-id.ts';
import { parseJson } from '../webhook/parse-body.ts';
import { withBody } from '../webhook/read-body.ts';
import type { ByteBudget } from '../webhook/read-body.ts';
import type { DispatchContext, Endpoint } from './endpoint.ts';
import { sendEvents } from './event-stream.ts';
import type { RateLimit } from './rate-limit.ts';

export interface RestOptions {
  auth: Auth;
  /** Largest request body, in bytes. */
  maxBodyBytes: number;
  budget: ByteBudget;
  /** Requests per user. */
  userLimit: RateLimit;
  /** Aborted when the server stops; ends streams. */
  stopping: AbortSignal;
}

const labels = new WeakMap<ServerResponse, string>();

/** The pattern a request matched: metrics must not have a series per URL. */
export function routeLabel(response: ServerResponse): string {
  return labels.get(response) ?? 'other';
}

/** All endpoints as an Express router, to be mounted at /api/v1. */
export function restRouter(endpoints: readonly Endpoint[], options: RestOptions): Router {
  const router = Router();
  for (const endpoint of endpoints) {
    router[endpoint.method](expressPath(endpoint.path), async (request, response) => {
      labels.set(response, `/api/v1${endpoint.path}`);
      await endpoint.dispatch(request, response, contextOf(request, response, options));
    });
  }
  for (const path of new Set(endpoints.map((endpoint) => endpoint.path))) {
    const allow = endpoints.filter((endpoint) => endpoint.path === path).map((endpoint) => endpoint.method.toUpperCase()).join(', ');
    router.all(expressPath(path), (request) => {
      throw new ApiError('MethodNotAllowed', `${request.method} is not possible here.`, { headers: { allow } });
    });
  }
  return router;
}

/** `/namespaces/{namespace}` → `/namespaces/:namespace`. */
export function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function contextOf(request: Request, response: Response, options: RestOptions): DispatchContext {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, options.stopping]);
  return {
    requestId: requestIdOf(response),
    signal,
    authenticate: () => authenticate(request, options),
    authorize: (user, access) => options.auth.authorize(user, access),
    readBody: () => withBody(request, { limit: options.maxBodyBytes, budget: options.budget }, async (body) => (body.length === 0 ? {} : parseJson(body))),
    parse(schema, value, where) {
      const parsed = schema.safeParse(value);
      if (parsed.success) return parsed.data;
      throw new ApiError('InvalidRequest', `The ${where} is not as the API wants it.`, { details: parsed.error.issues.map((issue) => detail(issue, where)) });
    },
    send: (events) => sendEvents(response, events, signal),
  };
}

function detail(issue: z.core.$ZodIssue, where: string): { at: string; message: string } {
  return { at: [where, ...issue.path.map(String)].join('.'), message: issue.message };
}

async function authenticate(request: Request, { auth, userLimit }: RestOptions): Promise<User> {
  const token = bearerToken(request);
  if (token === undefined) throw new ApiError('Unauthenticated', 'There is no bearer token.', { headers: { 'www-authenticate': 'Bearer' } });
  const user = await auth.authenticate(token);
  userLimit.take(user.username);
  return user;
}

/**
 * The token of the Authorization header, or of Millrace-Token: the Kubernetes API server removes Authorization from what it
 * forwards to a Service, so that the command line, which comes that way, needs another header.
 */
function bearerToken(request: Request): string | undefined {
  const match = /^Bearer +([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '');
  const forwarded = request.headers['millrace-token'];
  return match?.[1] ?? (typeof forwarded === 'string' && forwarded !== '' ? forwarded : undefined);
}
