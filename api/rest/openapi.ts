import { z } from 'zod';
import { problems } from '../problem.ts';
import type { Endpoint } from './endpoint.ts';

type Json = Record<string, unknown>;

const reference = (id: string) => ({ $ref: `#/components/schemas/${id}` });

/** The body of every refusal. */
const Problem = z.object({
  error: z.object({
    code: z.enum(Object.keys(problems)).describe('Stable; match on this, not on the message.'),
    message: z.string(),
    details: z.unknown().optional(),
    requestId: z.string().describe('Also in the X-Request-Id header and in the log of the server.'),
  }),
});

/**
 * The OpenAPI 3.1 document of these endpoints. Nothing in it is written by hand: paths, parameters, bodies and answers come
 * from the schemas that also validate the requests.
 */
export function openApiDocument(endpoints: readonly Endpoint[], options: { version: string; serverUrl: string }): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) (paths[endpoint.path] ??= {})[endpoint.method] = operation(endpoint);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace API',
      version: options.version,
      description: 'Executions of Millrace workflows, and writes of their objects in the name of the caller. Workflows are custom resources: the Kubernetes API reads and watches them.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: `${options.serverUrl}/api/v1` }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A Kubernetes token, checked by TokenReview.' } },
      schemas: componentSchemas(endpoints),
    },
  };
}

function operation({ operationId, summary, schemas }: Endpoint): Json {
  return {
    operationId,
    summary,
    parameters: [...parameters(schemas.params, 'path'), ...parameters(schemas.query, 'query')],
    ...(schemas.body ? { requestBody: { required: true, content: { 'application/json': { schema: reference(`${capital(operationId)}Request`) } } } } : {}),
    responses: {
      ...answer(operationId, schemas.answer),
      default: { description: 'Refused', content: { 'application/json': { schema: reference('Problem') } } },
    },
  };
}

function answer(operationId: string, schema: Endpoint['schemas']['answer']): Json {
  const ref = reference(`${capital(operationId)}Answer`);
  if ('json' in schema) return { [schema.status]: { description: 'Done', content: { 'application/json': { schema: ref } } } };
  const events = Object.keys(schema.events).join(', ');
  return { 200: { description: `Server-sent events (${events}); the schema is that of their data.`, content: { 'text/event-stream': { schema: ref } } } };
}

function parameters(schema: z.ZodObject, where: 'path' | 'query'): Json[] {
  const fields: Record<string, z.ZodType> = schema.shape;
  return Object.entries(fields).map(([name, field]) => {
    const { description, ...rest } = jsonSchema(field, 'input');
    const required = where === 'path' || !field.safeParse(undefined).success;
    return { name, in: where, required, ...(description === undefined ? {} : { description }), schema: rest };
  });
}

function componentSchemas(endpoints: readonly Endpoint[]): Json {
  const schemas: Json = { Problem: jsonSchema(Problem, 'output') };
  for (const { operationId, schemas: { body, answer } } of endpoints) {
    const name = capital(operationId);
    if (body) schemas[`${name}Request`] = jsonSchema(body, 'input');
    const shape = 'json' in answer ? answer.json : z.union(Object.values(answer.events));
    schemas[`${name}Answer`] = jsonSchema(shape, 'output');
  }
  return schemas;
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, reused: 'inline' });
  return rest;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
