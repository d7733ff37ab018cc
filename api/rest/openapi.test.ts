import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { accepting } from '../webhook/accept.ts';
import { FakeCluster } from '../testdata/fake-cluster.ts';
import { MemoryStore } from '../testdata/memory-store.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';
import { executionEndpoints } from './executions.ts';
import { deadLetterEndpoints } from './dead-letters.ts';
import { listenEndpoints } from './listen.ts';
import { objectEndpoints } from './objects.ts';
import { poolEndpoints } from './pools.ts';
import { scheduleEndpoints } from './schedules.ts';
import { watchingEndpoints } from './watching.ts';
import { workflowEndpoints } from './workflows.ts';

interface Operation {
  operationId: string;
  summary: string;
  parameters: { name: string; in: string; required: boolean; description?: string }[];
  responses: Record<string, { description?: string; content?: object }>;
}

let server: TestServer;
let document: { openapi: string; paths: Record<string, Record<string, Operation>>; components: { schemas: Record<string, unknown> } };

beforeAll(async () => {
  server = await startTestServer();
  document = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as typeof document;
});

afterAll(() => server.stop());

test('holds every endpoint, with every parameter of its path', () => {
  const { store } = new MemoryStore();
  const accept = accepting(store.queue, { onBatch: () => undefined });
  const endpoints = [
    ...executionEndpoints({ store, accept }), ...workflowEndpoints({ store, accept }), ...scheduleEndpoints({ store }), ...poolEndpoints({ store }), ...deadLetterEndpoints(store),
    ...watchingEndpoints({ look: () => Promise.reject(new Error('Nobody watches')) }),
    ...objectEndpoints(new FakeCluster()), ...listenEndpoints({ store, baseUrl: undefined }),
  ];
  const documented = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method} ${path}`));
  expect(documented.sort()).toEqual(endpoints.map(({ method, path }) => `${method} ${path}`).sort());
  expect(new Set(endpoints.map(({ operationId }) => operationId)).size).toBe(endpoints.length);
  for (const [path, methods] of Object.entries(document.paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { parameters } of Object.values(methods)) {
      expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(inPath);
    }
  }
});

test('every endpoint asks for a token', async () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const method of Object.keys(methods)) {
      const response = await fetch(`${server.url}/api/v1${path.replaceAll(/\{\w+\}/g, 'x')}`, { method: method.toUpperCase() });
      expect([method, path, response.status]).toEqual([method, path, 401]);
    }
  }
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? '');
  expect(references.length).toBeGreaterThan(10);
  for (const name of references) expect(Object.keys(document.components.schemas)).toContain(name);
});

/** What a linter would ask of the document, as far as it helps those who read it or make clients of it. */
test('reads well', () => {
  const findings: string[] = [];
  const used = JSON.stringify(document.paths);
  for (const [path, methods] of Object.entries(document.paths)) {
    if (/\/$|_|[A-Z]/.test(path.replaceAll(/\{\w+\}/g, 'x'))) findings.push(`${path}: paths are lower case with hyphens and end without a slash`);
    for (const [method, { operationId, summary, parameters, responses }] of Object.entries(methods)) {
      const at = `${method} ${path}`;
      if (!/^[a-z][a-zA-Z]+$/.test(operationId)) findings.push(`${at}: ${operationId} makes no function name`);
      if (!/^[A-Z].{5,118}[^.]$/.test(summary)) findings.push(`${at}: the summary is one line, begins with a capital letter and ends without a full stop`);
      findings.push(...parameters.filter(({ description }) => description === undefined).map(({ name }) => `${at}: parameter ${name} is not described`));
      findings.push(...Object.entries(responses).filter(([, { description, content }]) => !description || !content).map(([status]) => `${at}: answer ${status} is not described`));
      if (!Object.keys(responses).some((status) => status === 'default' || status.startsWith('4'))) findings.push(`${at}: refusals are not described`);
    }
  }
  for (const name of Object.keys(document.components.schemas)) if (!used.includes(`schemas/${name}"`)) findings.push(`schema ${name} is not used`);
  expect(findings).toEqual([]);
});
