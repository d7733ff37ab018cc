import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { StoreError } from '../../store/error.ts';
import { MemoryStore } from '../testdata/memory-store.ts';
import { route, webhookTrigger } from '../testdata/route.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';

let server: TestServer;
let memory: MemoryStore;

beforeEach(async () => {
  memory = new MemoryStore();
  const hook = (path: string, options: object) => route(path, [webhookTrigger('POST', path, { responseMode: 'onReceived', options: { options } })]);
  memory.routeList = [hook('plain', {}), hook('raw', { rawBody: true }), hook('binary', { binaryData: true, binaryPropertyName: 'upload' }), hook('prefix', { binaryPropertyName: 'file' })];
  server = await startTestServer({ fileBytes: 2_500_000 }, memory);
});

afterEach(() => server.stop());

const post = async (path: string, body: FormData | Uint8Array<ArrayBuffer> | string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/webhook/shop/${path}`, { method: 'POST', body, headers });
  return { status: response.status, body: (await response.json()) as { error?: { code: string } } };
};
const received = () => memory.accepted.at(-1);
const bytesOf = (property: string) => memory.files.get(received()?.trigger.items[0]?.binary?.[property]?.id ?? '')?.toString();

test('fields of a form become the body, its files the files of the item', async () => {
  const form = new FormData();
  form.set('name', 'Ada');
  form.append('tag', 'a');
  form.append('tag', 'b');
  form.append('photo', new File(['pixels'], 'me.PNG', { type: 'image/png' }));
  form.append('photo', new File(['more'], 'ü.txt', { type: 'text/plain' }));
  form.append('empty', new File([], ''));
  expect(await post('plain', form)).toMatchObject({ status: 200 });
  expect(received()?.trigger.items).toMatchObject([{
    json: { body: { name: 'Ada', tag: ['a', 'b'] } },
    binary: { photo: { mimeType: 'image/png', fileName: 'me.PNG', fileExtension: 'png', size: 6 }, photo1: { fileName: 'ü.txt', size: 4 } },
  }]);
  expect([bytesOf('photo'), bytesOf('photo1')]).toEqual(['pixels', 'more']);
  expect(received()?.id).toMatch(/^[\da-f-]{36}$/);
});

test('files of a form get the name that the node gives them', async () => {
  const form = new FormData();
  for (const name of ['a', 'b']) form.append(name, new File([name], `${name}.txt`));
  await post('prefix', form);
  expect([bytesOf('file0'), bytesOf('file1')]).toEqual(['a', 'b']);
});

test.each([
  { path: 'plain', type: 'image/png', body: {}, property: 'data', mimeType: 'image/png' },
  { path: 'raw', type: 'application/json', body: { a: 1 }, property: 'data', mimeType: 'application/json' },
  { path: 'binary', type: 'application/json', body: {}, property: 'upload', mimeType: 'application/json' },
])('$type at $path', async ({ path, type, body, property, mimeType }) => {
  await post(path, '{"a":1}', { 'content-type': type });
  expect(received()?.trigger.items).toMatchObject([{ json: { body }, binary: { [property]: { mimeType, size: 7 } } }]);
  expect(bytesOf(property)).toBe('{"a":1}');
});

test('files may be larger than bodies that are held in memory, and are unpacked', async () => {
  const bytes = Buffer.alloc(2_400_000, 7);
  expect((await post('plain', new Uint8Array(gzipSync(bytes)), { 'content-type': 'application/zip', 'content-encoding': 'gzip' })).status).toBe(200);
  expect(received()?.trigger.items[0]?.binary?.['data']?.size).toBe(bytes.length);
});

const big = (size: number) => new File([new Uint8Array(size)], 'big.bin');
const formWith = (...entries: [string, string | File][]) => {
  const form = new FormData();
  for (const [name, value] of entries) form.append(name, value);
  return form;
};
const typed = (text: string) => [text, { 'content-type': 'multipart/form-data; boundary=x' }] as const;

test.each([
  { name: 'a file over the limit', request: [formWith(['f', big(2_600_000)])] as const, status: 413, code: 'BodyTooLarge' },
  { name: 'fields over the limit', request: [formWith(['a', 'x'.repeat(6000)], ['b', 'x'.repeat(6000)])] as const, status: 413, code: 'BodyTooLarge' },
  { name: 'too many fields', request: [formWith(...Array.from({ length: 1101 }, (_, index): [string, string] => [`f${index}`, '']))] as const, status: 413, code: 'BodyTooLarge' },
  { name: 'a form that ends early', request: typed('--x\r\ncontent-disposition: form-data; name="f"; filename="a"\r\n\r\nhel'), status: 400, code: 'MalformedBody' },
  { name: 'a form without its boundary', request: ['x', { 'content-type': 'multipart/form-data' }] as const, status: 400, code: 'MalformedBody' },
])('refuses $name, starts nothing and serves the next', async ({ request: [body, headers], status, code }) => {
  expect(await post('plain', body, headers)).toMatchObject({ status, body: { error: { code } } });
  expect(memory.accepted).toEqual([]);
  expect((await post('plain', formWith(['f', big(10)]))).status).toBe(200);
});

test('starts nothing when a file cannot be stored', async () => {
  memory.parts.binaries.write = async () => { throw new StoreError('StoreUnavailable', 'secret detail'); };
  expect(await post('plain', formWith(['f', big(10)]))).toMatchObject({ status: 503, body: { error: { code: 'Unavailable' } } });
  expect(memory.accepted).toEqual([]);
});

test('keeps a field called __proto__ a field', async () => {
  await post('plain', formWith(['__proto__', 'x']));
  expect(Object.entries(received()?.trigger.items[0]?.json['body'] as object)).toEqual([['__proto__', 'x']]);
});
