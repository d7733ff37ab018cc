import { expect, test } from '@jest/globals';
import { checkTemplate } from './syntax.ts';

test.each([
  ['{{ $json.a }} and {{ [1, 2].map((x) => x + 1) }}', undefined],
  ['no expression', undefined],
  ['{{ }}', undefined],
  ['{{ {"a": 1} }}', undefined],
  ['{{ 1 + }}', 'Unexpected token at character 8'],
  ['ab {{ let q = 1 }}', "The keyword 'let' is reserved at character 7"],
  ['{{ 1; 2 }}', 'Unexpected token at character 5'],
  ['{{ 1) + (2 }}', 'An expression must be one single expression at character 3'],
  ['{{ x.constructor("y") }}', 'Calling a constructor property is not allowed at character 4'],
  ['{{ import("x") }}', 'import() is not available at character 4'],
  ['{{ import.meta.url }}', 'import.meta is not available at character 4'],
  ['{{ (async () => 1)() }}', 'Expressions are evaluated at once: await and async functions are not available at character 5'],
  ['{{ await x }}', expect.stringMatching(/at character 4$/)],
])('%j', (template, want) => {
  expect(checkTemplate(template)).toEqual(want);
});
