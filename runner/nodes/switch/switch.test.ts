import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';
import { switchNode } from './index.ts';

const equals = (rightValue: string): object => ({ conditions: { combinator: 'and', conditions: [{ leftValue: '={{ $json.v }}', rightValue, operator: { type: 'string', operation: 'equals' } }] } });
const names = (parameters: Record<string, unknown>, typeVersion = 3.2): readonly string[] =>
  (typeof switchNode.outputs === 'function' ? switchNode.outputs({ name: 'n', type: 'switch', typeVersion, parameters }) : switchNode.outputs);

test('names its outputs after the rules', () => {
  const values = [{ ...equals('a'), renameOutput: true, outputKey: 'first' }, equals('b')];
  expect(names({ rules: { values } })).toEqual(['first', '1']);
  expect(names({ rules: { values }, options: { fallbackOutput: 'extra', renameFallbackOutput: 'rest' } })).toEqual(['first', '1', 'rest']);
  expect(names({ mode: 'expression', numberOutputs: 3 })).toEqual(['0', '1', '2']);
});

test('chooses by expression, and names the item that is out of range', async () => {
  const parameters = { mode: 'expression', numberOutputs: 2, output: '={{ $json.v }}' };
  expect((await runNode({ type: 'switch', version: 3.2, items: [{ v: 1 }, { v: 0 }], parameters })).json).toEqual([[{ v: 0 }], [{ v: 1 }]]);
  expect((await runNode({ type: 'switch', version: 3.2, items: [{ v: 0 }, { v: 2 }], parameters })).error).toMatchObject({ code: 'OutputOutOfRange', itemIndex: 1, parameter: 'output' });
});

test.each([
  { version: 1, rules: [{ value2: 'a', output: 2 }, { value2: 'b', output: 0 }], want: [[{ v: 'b' }], [], [{ v: 'a' }], [{ v: 'z' }]] },
  { version: 2, rules: [{ value2: 'a' }, { value2: 'b' }, { value2: 'c' }, { value2: 'd' }], want: [[{ v: 'a' }], [{ v: 'b' }], [], [{ v: 'z' }]] },
])('version $version compares one value', async ({ version, rules, want }) => {
  const parameters = { dataType: 'string', value1: '={{ $json.v }}', rules: { rules }, fallbackOutput: 3 };
  expect((await runNode({ type: 'switch', version, items: [{ v: 'a' }, { v: 'b' }, { v: 'z' }], parameters })).json).toEqual(want);
});
