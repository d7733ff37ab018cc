import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';

const replace = (searchRegex: string, replaceRegex: string, options = {}): object => ({ additionalOptions: { regexReplacement: { replacements: [{ searchRegex, replaceRegex, options }] } } });

test.each([
  { parameters: { keys: { key: [{ currentKey: 'a.b', newKey: 'c' }, { currentKey: 'none', newKey: 'x' }] } }, want: { a: { B_x: 1 }, c: 2 } },
  { parameters: replace('^(.)_', '$1-'), want: { a: { b: 2, 'B-x': 1 } } },
  { parameters: replace('^b', 'Z', { caseInsensitive: true }), want: { a: { Z: 2, Z_x: 1 } } },
  { parameters: replace('^b', 'Z', { depth: 0 }), want: { a: { b: 2, B_x: 1 } } },
])('renames by $parameters', async ({ parameters, want }) => {
  expect((await runNode({ type: 'renameKeys', items: [{ a: { b: 2, B_x: 1 } }], parameters: { ...parameters } })).json).toEqual([[want]]);
});

test('refuses a broken pattern', async () => {
  expect((await runNode({ type: 'renameKeys', parameters: { ...replace('(', '') } })).error).toMatchObject({ code: 'InvalidPattern', itemIndex: 0 });
});
