import { expect, test } from '@jest/globals';
import { parseBody } from './parse-body.ts';

const multipart = (...fields: string[]) => `${fields.map((field) => `--x\r\ncontent-disposition: form-data; ${field}\r\n`).join('')}--x--\r\n`;

test.each([
  { name: 'no body', type: undefined, text: '', want: {} },
  { name: 'an empty JSON body', type: 'application/json', text: '', want: {} },
  { name: 'JSON', type: 'application/json; charset=utf-8', text: '{"a":[1,null]}', want: { a: [1, null] } },
  { name: 'a kind of JSON', type: 'application/cloudevents+json', text: '1', want: 1 },
  { name: 'a form', type: 'application/x-www-form-urlencoded', text: 'a=1&b=x+y', want: { a: '1', b: 'x y' } },
  { name: 'a form with a repeated field', type: 'application/x-www-form-urlencoded', text: 'a=1&a=2', want: { a: ['1', '2'] } },
  { name: 'text', type: 'text/plain', text: 'hello', want: 'hello' },
  { name: 'text without a type', type: undefined, text: 'hello', want: 'hello' },
  { name: 'XML', type: 'application/soap+xml', text: '<a/>', want: '<a/>' },
  { name: 'multipart fields', type: 'multipart/form-data; boundary=x', text: multipart('name="a"\r\n\r\n1', 'name="b"\r\n\r\n2', 'name="b"\r\n\r\n3'), want: { a: '1', b: ['2', '3'] } },
])('takes $name', async ({ type, text, want }) => {
  expect(await parseBody(Buffer.from(text), type)).toEqual(want);
});

test('keeps a field called __proto__ a field', async () => {
  const body = await parseBody(Buffer.from('__proto__=1&a=2'), 'application/x-www-form-urlencoded');
  expect(Object.entries(body as object)).toEqual([['__proto__', '1'], ['a', '2']]);
  expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
});

test.each([
  { name: 'broken JSON', type: 'application/json', text: '{"a":', code: 'MalformedJson' },
  { name: 'a broken multipart form', type: 'multipart/form-data; boundary=x', text: '--y\r\n', code: 'MalformedBody' },
  { name: 'a multipart form without boundary', type: 'multipart/form-data', text: 'x', code: 'MalformedBody' },
  { name: 'a file', type: 'multipart/form-data; boundary=x', text: multipart('name="f"; filename="a.txt"\r\n\r\nhello'), code: 'UnsupportedBody' },
  { name: 'bytes', type: 'application/octet-stream', text: 'x', code: 'UnsupportedBody' },
])('refuses $name', async ({ type, text, code }) => {
  await expect(parseBody(Buffer.from(text), type)).rejects.toMatchObject({ name: 'ApiError', code });
});
