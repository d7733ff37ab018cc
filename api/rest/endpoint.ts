import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Access, User } from '../auth/kubernetes-auth.ts';

/** A validated request. */
export interface Call<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  user: User;
  requestId: string;
  /** Aborted when the caller goes away or the server stops. */
  signal: AbortSignal;
}

/** What a call needs the caller to be allowed, from its path and query; several rights are all needed. */
export type Permission<Params, Query> = (call: { params: Params; query: Query }) => Access | readonly Access[];

/** For calls that are made as the user: the API server decides by itself. */
export const decidedByCluster = (): readonly Access[] => [];

interface Described<Params extends z.ZodObject, Query extends z.ZodObject> {
  method: 'get' | 'post' | 'put' | 'delete';
  /** OpenAPI form, below /api/v1: `/namespaces/{namespace}/executions`. */
  path: string;
  /** Unique; client generators make a function name of it. */
  operationId: string;
  summary: string;
  params: Params;
  query: Query;
  permission: Permission<z.output<Params>, z.output<Query>>;
}

/** One JSON endpoint: everything the router, the permission check and the OpenAPI document need. */
export interface JsonEndpoint<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType> extends Described<Params, Query> {
  /** `NoBody` when there is none: then nothing is read. */
  body: Body;
  status: 200 | 201 | 202;
  answer: Answer;
  handle(call: Call<z.output<Params>, z.output<Query>, z.output<Body>>): Promise<z.input<Answer>>;
}

/** One server-sent event; `data` is sent as JSON. */
export interface StreamEvent {
  event: string;
  id?: string;
  data: unknown;
}

/** An endpoint that answers with server-sent events until `events` ends or the caller goes away. */
export interface StreamEndpoint<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType> extends Described<Params, Query> {
  /** `NoBody` when there is none. */
  body: Body;
  /** Event name → schema of its data. */
  events: Record<string, z.ZodType>;
  /** Refusals (not found) are thrown before the first event, so that they have a status of their own. */
  stream(call: Call<z.output<Params>, z.output<Query>, z.output<Body>>): AsyncIterable<StreamEvent>;
}

/** An endpoint with its types forgotten: `dispatch` validates, then calls it. */
export interface Endpoint {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly schemas: {
    params: z.ZodObject;
    query: z.ZodObject;
    body?: z.ZodType;
    /** JSON answer, or the data of each kind of event. */
    answer: { status: number; json: z.ZodType } | { events: Record<string, z.ZodType> };
  };
  dispatch(request: Request, response: Response, context: DispatchContext): Promise<void>;
}

export interface DispatchContext {
  requestId: string;
  signal: AbortSignal;
  authenticate(): Promise<User>;
  authorize(user: User, access: Access): Promise<void>;
  /** The parsed JSON body. */
  readBody(): Promise<unknown>;
  /** Throws InvalidRequest with the paths that do not fit. */
  parse<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string): z.output<Schema>;
  /** Sends events with heartbeats. */
  send(events: AsyncIterable<StreamEvent>): Promise<void>;
}

export function jsonEndpoint<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType, Answer extends z.ZodType>(
  endpoint: JsonEndpoint<Params, Query, Body, Answer>,
): Endpoint {
  const { body } = endpoint;
  return {
    ...described(endpoint),
    schemas: { params: endpoint.params, query: endpoint.query, ...(body.type === 'undefined' ? {} : { body }), answer: { status: endpoint.status, json: endpoint.answer } },
    async dispatch(request, response, context) {
      const call = await admit(endpoint, request, context);
      const input = await readInput(body, context);
      const answer = await endpoint.handle({ ...call, body: input });
      response.status(endpoint.status).json(answer);
    },
  };
}

export function streamEndpoint<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>(endpoint: StreamEndpoint<Params, Query, Body>): Endpoint {
  const { body } = endpoint;
  return {
    ...described(endpoint),
    schemas: { params: endpoint.params, query: endpoint.query, ...(body.type === 'undefined' ? {} : { body }), answer: { events: endpoint.events } },
    async dispatch(request, _response, context) {
      const call = await admit(endpoint, request, context);
      await context.send(endpoint.stream({ ...call, body: await readInput(body, context) }));
    },
  };
}

/** The body is read only after the caller is known to be allowed. */
async function readInput<Body extends z.ZodType>(body: Body, context: DispatchContext): Promise<z.output<Body>> {
  return context.parse(body, body.type === 'undefined' ? undefined : await context.readBody(), 'body');
}

function described(endpoint: { method: Endpoint['method']; path: string; operationId: string; summary: string }) {
  const { method, path, operationId, summary } = endpoint;
  return { method, path, operationId, summary };
}

async function admit<Params extends z.ZodObject, Query extends z.ZodObject>(endpoint: Described<Params, Query>, request: Request, context: DispatchContext) {
  const user = await context.authenticate();
  const params = context.parse(endpoint.params, request.params, 'path');
  const query = context.parse(endpoint.query, request.query, 'query');
  for (const access of [endpoint.permission({ params, query })].flat()) await context.authorize(user, access);
  return { params, query, user, requestId: context.requestId, signal: context.signal };
}
