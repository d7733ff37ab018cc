import { expect, test } from '@jest/globals';
import { parseBody } from './parse-body.ts';

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
])('takes $name', ({ type, text, want }) => {
  expect(parseBody(Buffer.from(text), type)).toEqual(want);
});

test('keeps a field called __proto__ a field', () => {
  const body = parseBody(Buffer.from('__proto__=1&a=2'), 'application/x-www-form-urlencoded');
  expect(Object.entries(body as object)).toEqual([['__proto__', '1'], ['a', '2']]);
  expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
});

test('refuses broken JSON', () => {
  expect(() => parseBody(Buffer.from('{"a":'), 'application/json')).toThrow(expect.objectContaining({ name: 'ApiError', code: 'MalformedJson' }));
});
