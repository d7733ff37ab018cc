import { expect, test } from '@jest/globals';
import { isSingleExpression, parseTemplate } from './template.ts';

const text = (value: string) => ({ kind: 'text', text: value });
const code = (value: string, offset: number) => ({ kind: 'code', code: value, offset });

test.each([
  ['', []],
  ['plain', [text('plain')]],
  ['{{ 1 }}', [code(' 1 ', 2)]],
  ['a{{1}}b{{2}}', [text('a'), code('1', 3), text('b'), code('2', 9)]],
  ['{{ "a}}b" }}', [code(' "a', 2), text('b" }}')]],
  ['{{ "a\\}}b" }}', [code(' "a\\}}b" ', 2)]],
  ['\\{{ 1 }}', [text('{{ 1 }}')]],
  ['a {{ 1', [text('a {{ 1')]],
  ['{{}}', [code('', 2)]],
  ['{{{ a }}}', [code('{ a ', 2), text('}')]],
])('%j', (template, want) => {
  expect(parseTemplate(template)).toEqual(want);
});

test.each([['{{ 1 }}', true], ['{{ 1 }} ', false], ['{{ 1 }}{{ 2 }}', false], ['x', false], ['', false]])('%j is a single expression: %s', (template, want) => {
  expect(isSingleExpression(parseTemplate(template))).toBe(want);
});
