import { expect, test } from '@jest/globals';
import { parseFlatted } from './flatted.ts';

test('positions become the values they name, shared and circular ones too', () => {
  const parsed = parseFlatted('[{"a":"1","b":"1","n":1,"l":"2"},"text",["0","1",2]]') as { a: string; b: string; n: number; l: unknown[] };
  expect([parsed.a, parsed.b, parsed.n, parsed.l[1], parsed.l[2]]).toEqual(['text', 'text', 1, 'text', 2]);
  expect(parsed.l[0]).toBe(parsed);
});

test('a single plain value is itself', () => expect(parseFlatted('["x"]')).toBe('x'));
