import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Item, JsonObject } from '../../engine/item.ts';
import type { Compat } from '../../engine/workflow.ts';
import { createLocalHost } from '../../local-host.ts';
import { plainSandbox } from '../../engine/testing/plain-sandbox.ts';
import { credentialTypeOf } from './authentication.ts';
import { runNode, type NodeTest } from '../testing/run-node.ts';

interface Seen { method: string; url: string; headers: IncomingMessage['headers']; body: string }

const seen: Seen[] = [];
let server: Server;
let other: Server;
let base = '';
let otherBase = '';

interface Answer { status: number; headers: Record<string, string | string[]>; body: string }

const json = (value: unknown, status = 200): Answer => ({ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });
const redirect = (status: number, location: string): Answer => ({ status, headers: { location }, body: '' });

/** What is answered, by the first part of the path; everything else is an echo. */
const ROUTES: Record<string, (url: URL, body: string) => Answer> = {
  status: ({ pathname }) => json({ message: 'said so' }, Number(pathname.split('/')[2])),
  redirect: ({ pathname }) => redirect(Number(pathname.split('/')[2]), '/echo'),
  loop: () => redirect(302, '/loop'),
  cross: () => redirect(302, `${otherBase}/echo`),
  page: ({ searchParams }) => json(Number(searchParams.get('n')) > 2 ? [] : [{ n: Number(searchParams.get('n')) }]),
  stuck: () => json([1]),
  type: ({ searchParams }) => ({ status: 200, headers: { 'content-type': searchParams.get('t') ?? '', 'set-cookie': ['a=1', 'b=2'] }, body: searchParams.get('b') ?? '' }),
  token: (_, body) => json(body.includes('client_credentials') ? { access_token: 'fetched' } : {}),
};

function answer(request: IncomingMessage, body: string): Answer {
  const url = new URL(request.url ?? '/', base);
  const route = ROUTES[url.pathname.split('/')[1] ?? ''];
  return route ? route(url, body) : json({ method: request.method, url: request.url, body, type: request.headers['content-type'] ?? '' });
}

function start(): Promise<Server> {
  const made = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1');
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      const { status, headers, body: text } = answer(request, body);
      response.writeHead(status, { connection: 'close', ...headers }).end(text);
    });
  });
  const { promise, resolve } = Promise.withResolvers<Server>();
  made.listen(0, '127.0.0.1', () => resolve(made));
  return promise;
}

const portOf = (made: Server): string => `http://127.0.0.1:${(made.address() as AddressInfo).port}`;

beforeAll(async () => {
  [server, other] = await Promise.all([start(), start()]);
  [base, otherBase] = [portOf(server), portOf(other)];
});

afterAll(() => {
  server.close();
  other.close();
});

const request = (path: string, parameters: JsonObject = {}, more: Partial<NodeTest> = {}): ReturnType<typeof runNode> =>
  runNode({ type: 'httpRequest', version: 4.2, parameters: { url: `${base}${path}`, ...parameters }, ...more });
const fields = (...pairs: [string, unknown][]): JsonObject => ({ parameters: pairs.map(([name, value]) => ({ name, value })) });

test.each([
  { name: 'query parameters', parameters: { sendQuery: true, queryParameters: fields(['a', 'x y'], ['b', '={{ $json.n }}'], ['none', null]) }, want: { url: '/echo?k=1&a=x%20y&b=5' } },
  { name: 'a query as JSON', parameters: { sendQuery: true, specifyQuery: 'json', jsonQuery: '{"l": ["x", "y"], "o": {"p": 1}}', options: { queryParameterArrays: 'repeat' } }, want: { url: '/echo?k=1&l=x&l=y&o[p]=1' } },
  { name: 'fields as JSON', parameters: { method: 'POST', sendBody: true, bodyParameters: fields(['a', '={{ $json.n }}']) }, want: { method: 'POST', body: '{"a":5}', type: 'application/json' } },
  { name: 'JSON of an expression', parameters: { method: 'POST', sendBody: true, specifyBody: 'json', jsonBody: '={{ $json.o }}' }, want: { body: '{"z":1}' } },
  { name: 'a form given as text', parameters: { method: 'POST', sendBody: true, contentType: 'form-urlencoded', specifyBody: 'string', body: 'a=1&b=x%20y' }, want: { body: 'a=1&b=x%20y', type: 'application/x-www-form-urlencoded' } },
  { name: 'raw text', parameters: { method: 'PUT', sendBody: true, contentType: 'raw', rawContentType: 'text/xml', body: '<a/>' }, want: { method: 'PUT', body: '<a/>', type: 'text/xml' } },
  { name: 'a content type of its own', parameters: { method: 'POST', sendBody: true, sendHeaders: true, headerParameters: fields(['Content-Type', 'application/vnd.x+json']), bodyParameters: fields(['a', '1']) }, want: { type: 'application/vnd.x+json' } },
])('sends $name', async ({ parameters, want }) => {
  expect((await request('/echo?k=1', parameters, { items: [{ n: 5, o: { z: 1 } }] })).json[0]?.[0]).toMatchObject(want);
});

test('sends files, as a body and as a part', async () => {
  const host = createLocalHost({ sandbox: plainSandbox });
  const file = await host.binaries.put(Buffer.from('hey'), { mimeType: 'text/plain', fileName: 'h"ey.txt' });
  const inputs: Item[][] = [[{ json: {}, binary: { f: file } }]];
  expect((await request('/echo', { method: 'POST', sendBody: true, contentType: 'binaryData', inputDataFieldName: 'f' }, { inputs, host })).json[0]?.[0]).toMatchObject({ body: 'hey', type: 'text/plain' });
  const bodyParameters = { parameters: [{ name: 'a', value: 'x' }, { name: 'up', parameterType: 'formBinaryData', inputDataFieldName: 'f' }] };
  const { json } = await request('/echo', { method: 'POST', sendBody: true, contentType: 'multipart-form-data', bodyParameters }, { inputs, host });
  const boundary = /boundary=(\S+)/.exec(String(json[0]?.[0]?.type))?.[1] ?? '';
  expect(json[0]?.[0]?.body).toBe([
    `--${boundary}`, 'content-disposition: form-data; name="a"', '', 'x', `--${boundary}`, 'content-disposition: form-data; name="up"; filename="h%22ey.txt"', 'content-type: text/plain', '', 'hey', `--${boundary}--`, '',
  ].join('\r\n'));
});

test.each([
  { path: '/type?t=text/html&b=hi', options: {}, want: { data: 'hi' } }, { path: '/type?t=application/problem%2Bjson&b={"a":1}', options: {}, want: { a: 1 } },
  { path: '/type?t=text/plain&b=[1]', options: { responseFormat: 'json' }, want: { data: 1 } }, { path: '/type?t=text/plain&b=x', options: { fullResponse: true, outputPropertyName: 'o' }, want: { o: 'x', statusCode: 200, headers: { 'set-cookie': ['a=1', 'b=2'] } } },
])('reads $path with $options', async ({ path, options, want }) => {
  expect((await request(path, { options: { response: { response: options } } })).json[0]?.[0]).toMatchObject(want);
});

test('keeps other types as files', async () => {
  const { outputs, host } = await request('/type/x.png?t=image/png&b=bytes', {}, { items: [{ keep: 1 }] });
  const file = outputs[0]?.[0]?.binary?.data;
  expect(outputs[0]?.[0]).toMatchObject({ json: { keep: 1 }, binary: { data: { mimeType: 'image/png', fileName: 'x.png', fileExtension: 'png' } } });
  expect(file && Buffer.from(await host.binaries.get(file)).toString()).toBe('bytes');
});

test('says that what claims to be JSON is none', async () => {
  expect((await request('/type?t=application/json&b={x')).error).toMatchObject({ code: 'InvalidResponse', itemIndex: 0 });
});

test.each([
  [303, 'PUT', { method: 'GET', body: '' }], [302, 'POST', { method: 'GET', body: '' }], [302, 'PUT', { method: 'PUT', body: '{"a":"1"}' }], [307, 'POST', { method: 'POST', body: '{"a":"1"}' }],
])('follows %s of %s', async (status, method, want) => {
  expect((await request(`/redirect/${status}`, { method, sendBody: true, bodyParameters: fields(['a', '1']) })).json[0]?.[0]).toMatchObject(want);
});

test('gives up on endless redirects, and fails on one it is not to follow', async () => {
  expect((await request('/loop', { options: { redirect: { redirect: { maxRedirects: 3 } } } })).error).toMatchObject({ code: 'TooManyRedirects' });
  expect((await request('/redirect/302', { options: { redirect: { redirect: { followRedirects: false } } } })).error).toMatchObject({ code: 'HttpStatus' });
});

const withCredential = (type: string, data: JsonObject): Partial<NodeTest> => ({ credentials: { [type]: { name: 'c' } }, host: createLocalHost({ sandbox: plainSandbox, credentials: { [`${type}/c`]: data } }) });

test('tells secrets to the first origin only', async () => {
  seen.length = 0;
  await request('/cross', { authentication: 'genericCredentialType', genericAuthType: 'httpHeaderAuth' }, withCredential('httpHeaderAuth', { name: 'X-Key', value: 's3cret' }));
  expect(seen.map(({ headers }) => headers['x-key'])).toEqual(['s3cret', undefined]);
});

test.each([
  { type: 'httpBearerAuth', data: { token: 't' }, want: 'Bearer t' }, { type: 'httpBasicAuth', data: { user: 'u', password: 'p' }, want: 'Basic dTpw' },
  { type: 'httpCustomAuth', data: { json: '{"headers":{"authorization":"Custom x"},"qs":{"q":1}}' }, want: 'Custom x' }, { type: 'oAuth2Api', data: { accessToken: 'a' }, want: 'Bearer a' },
])('authenticates with $type', async ({ type, data, want }) => {
  seen.length = 0;
  await request('/echo', { authentication: 'genericCredentialType', genericAuthType: type }, withCredential(type, data));
  expect(seen[0]?.headers.authorization).toBe(want);
});

test('fetches an OAuth 2 token with the credentials of the client', async () => {
  seen.length = 0;
  const data = { grantType: 'clientCredentials', accessTokenUrl: `${base}/token`, clientId: 'i d', clientSecret: 's', scope: 'x' };
  await request('/echo', { authentication: 'genericCredentialType', genericAuthType: 'oAuth2Api' }, withCredential('oAuth2Api', data));
  expect(seen.map(({ headers, body }) => [headers.authorization, body])).toEqual([[`Basic ${Buffer.from('i%20d:s').toString('base64')}`, 'grant_type=client_credentials&scope=x'], ['Bearer fetched', '']]);
});

test.each([
  { data: { apiKey: 'k' }, want: { authorization: 'Bearer k' } }, { data: { username: 'u', password: 'p' }, want: { authorization: 'Basic dTpw' } }, { data: { headers: { 'X-A': '1' }, query: { b: 2 } }, want: { 'x-a': '1' } },
  { data: { headers: '{"X-A": "1"}' }, want: { 'x-a': '1' } },
])('uses the credential of a service: $data', async ({ data, want }) => {
  seen.length = 0;
  await request('/echo', { authentication: 'predefinedCredentialType', nodeCredentialType: 'someApi' }, withCredential('someApi', data));
  expect(seen[0]?.headers).toMatchObject(want);
});

test.each<[Record<string, string>, JsonObject, string]>([
  [{ authentication: 'predefinedCredentialType', nodeCredentialType: 'someApi' }, { only: 'x' }, 'InvalidCredential'], [{ authentication: 'genericCredentialType', genericAuthType: 'oAuth1Api' }, {}, 'NotSupported'],
])('says what a credential lacks: %p', async (parameters, data, code) => {
  const type = parameters.nodeCredentialType ?? parameters.genericAuthType ?? '';
  expect((await request('/echo', parameters, withCredential(type, data))).error).toMatchObject({ code, node: 'Node' });
});

test.each([
  { parameters: {}, want: undefined }, { parameters: { authentication: 'none' }, want: undefined }, { parameters: { authentication: 'basicAuth' }, want: 'httpBasicAuth' },
  { parameters: { authentication: 'genericCredentialType', genericAuthType: 'oAuth2Api' }, want: 'oAuth2Api' }, { parameters: { authentication: 'predefinedCredentialType', nodeCredentialType: '={{ 1 }}' }, want: undefined },
])('says which credential it needs: $parameters', ({ parameters, want }) => {
  expect(credentialTypeOf({ name: 'N', type: 'httpRequest', parameters })).toBe(want);
});

test('makes error items with status and code, and leaves out the secret', async () => {
  const { json } = await request('/status/404', { authentication: 'genericCredentialType', genericAuthType: 'httpBearerAuth' }, { ...withCredential('httpBearerAuth', { token: 's3cret' }), onError: 'Continue' });
  expect(json[0]?.[0]).toMatchObject({ error: { code: 'ERR_BAD_REQUEST', status: 404 } });
  expect(JSON.stringify(json)).not.toContain('s3cret');
});

test.each([
  [{ url: 'ftp://x' }, 'InvalidUrl'], [{ url: 'http://127.0.0.1:1/' }, 'HttpConnection'], [{ method: 'POST', sendBody: true, specifyBody: 'json', jsonBody: '={{ $json.bad }}' }, 'InvalidJson'], [{ options: { proxy: 'http://p' } }, 'NotSupported'],
])('refuses %p', async (parameters, code) => {
  expect((await request('/echo', parameters, { items: [{ bad: 'a: [' }] })).error).toMatchObject({ code, node: 'Node', itemIndex: 0 });
});

test('is refused without an address', async () => {
  expect((await runNode({ type: 'httpRequest', version: 4.2 })).error).toMatchObject({ code: 'ParameterInvalid', parameter: 'url' });
});

const paginate = (path: string, pagination: JsonObject, response: JsonObject = {}): ReturnType<typeof runNode> =>
  request(path, { options: { pagination: { pagination: { requestInterval: 0, ...pagination } }, response: { response } } });
const nextPage = { parameters: { parameters: [{ type: 'qs', name: 'n', value: '={{ $pageCount }}' }] } };

test.each([
  { pagination: nextPage, want: [{ n: 0 }, { n: 1 }, { n: 2 }] }, { pagination: { ...nextPage, limitPagesFetched: true, maxRequests: 2 }, want: [{ n: 0 }, { n: 1 }] },
])('fetches pages until one is empty or the limit is reached', async ({ pagination, want }) => {
  // The plain sandbox knows no $pageCount; the real one is shown by the conformance cases.
  const sandbox = { ...plainSandbox, evaluate: (template: string, view: Parameters<typeof plainSandbox.evaluate>[1], index: number, roots?: JsonObject) => (template === '{{ $pageCount }}' ? roots?.$pageCount : plainSandbox.evaluate(template, view, index)) };
  const { json } = await request('/page', { options: { pagination: { pagination: { requestInterval: 0, ...pagination } } } }, { host: { ...createLocalHost({ sandbox }) } });
  expect(json).toEqual([want]);
});

test('stops when pages do not change', async () => {
  expect((await paginate('/stuck', { parameters: { parameters: [] } })).error).toMatchObject({ code: 'PaginationStuck' });
});

test('ends at a status that means the end', async () => {
  expect((await paginate('/status/404', { parameters: { parameters: [] }, paginationCompleteWhen: 'receiveSpecificStatusCodes', statusCodesWhenComplete: '404' })).json).toEqual([[]]);
});

test.each([
  { parameters: { requestMethod: 'POST', bodyParametersUi: { parameter: [{ name: 'a', value: 1 }] }, queryParametersUi: { parameter: [{ name: 'q', value: 'x' }] } }, want: { method: 'POST', url: '/echo?q=x', body: '{"a":1}' } },
  { parameters: { requestMethod: 'POST', jsonParameters: true, bodyParametersJson: '{"a": 1}', headerParametersJson: '{"X-A": "1"}', options: { bodyContentType: 'form-urlencoded' } }, want: { body: 'a=1' } },
  { parameters: { requestMethod: 'PUT', jsonParameters: true, bodyParametersJson: '<a/>', options: { bodyContentType: 'raw', bodyContentCustomMimeType: 'text/xml' } }, want: { body: '<a/>', type: 'text/xml' } },
])('version 1 sends $parameters', async ({ parameters, want }) => expect((await request('/echo', parameters, { version: 1 })).json[0]?.[0]).toMatchObject(want));

test('waits between batches and keeps the order of items', async () => {
  const slept: number[] = [];
  const host = { ...createLocalHost({ sandbox: plainSandbox }), sleep: async (ms: number) => { slept.push(ms); } };
  const options = { batching: { batch: { batchSize: 2, batchInterval: 700 } } };
  const { json } = await request('/echo', { options, sendQuery: true, queryParameters: fields(['i', '={{ $json.i }}']) }, { items: [0, 1, 2, 3, 4].map((i) => ({ i })), host });
  expect(json[0]?.map(({ url }) => url)).toEqual([0, 1, 2, 3, 4].map((i) => `/echo?i=${i}`));
  expect(slept).toEqual([700, 700]);
});

test.each<{ name: string; method: string; compat: Compat; options: JsonObject; want: Record<string, unknown> }>([
  { name: 'by itself where repeating counts', method: 'POST', compat: 'millrace', options: {}, want: { 'idempotency-key': expect.stringMatching(/^[0-9a-f]{32}$/) } },
  { name: 'under another name', method: 'GET', compat: 'n8n-v2', options: { idempotencyKeyHeader: 'X-Request-Id' }, want: { 'x-request-id': expect.stringMatching(/^[0-9a-f]{32}$/) } },
  { name: 'never for reading', method: 'GET', compat: 'millrace', options: {}, want: { 'idempotency-key': undefined } },
  { name: 'not where n8n sends none', method: 'POST', compat: 'n8n-v2', options: {}, want: { 'idempotency-key': undefined } },
  { name: 'not when it is turned off', method: 'POST', compat: 'millrace', options: { idempotencyKeyHeader: '' }, want: { 'idempotency-key': undefined } },
])('sends an idempotency key $name', async ({ method, compat, options, want }) => {
  await request('/echo', { method, options }, { compat });
  const sent = seen.at(-1)?.headers ?? {};
  for (const [name, value] of Object.entries(want)) expect(sent[name]).toEqual(value);
});
