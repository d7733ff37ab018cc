import { expect, test } from '@jest/globals';
import { matchPattern, parsePattern, splitPath } from './path-pattern.ts';

test.each([
  { name: 'a plain path', pattern: 'orders', path: 'orders', want: {} },
  { name: 'slashes that do not count', pattern: '/orders/new/', path: 'orders//new', want: {} },
  { name: 'a parameter', pattern: 'users/:id', path: 'users/7', want: { id: '7' } },
  { name: 'several parameters', pattern: ':a/x/:b', path: '1/x/2', want: { a: '1', b: '2' } },
  { name: 'a lone colon is text', pattern: 'a/:', path: 'a/:', want: {} },
  { name: 'another case', pattern: 'orders', path: 'Orders', want: undefined },
  { name: 'more segments', pattern: 'users/:id', path: 'users/7/x', want: undefined },
  { name: 'fewer segments', pattern: 'users/:id', path: 'users', want: undefined },
])('$name', ({ pattern, path, want }) => {
  expect(matchPattern(parsePattern(pattern), splitPath(path))).toEqual(want);
});
