import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';

const overOne = (typeValidation = 'strict'): object => ({
  options: { caseSensitive: true, typeValidation }, combinator: 'and',
  conditions: [{ leftValue: '={{ $json.v }}', rightValue: 1, operator: { type: 'number', operation: 'gt' } }],
});

test('splits items and keeps their links', async () => {
  const { outputs } = await runNode({ type: 'if', version: 2.2, items: [{ v: 2 }, { v: 1 }, { v: 3 }], parameters: { conditions: overOne() } });
  expect(outputs).toEqual([
    [{ json: { v: 2 }, pairedItem: { item: 0 } }, { json: { v: 3 }, pairedItem: { item: 2 } }], [{ json: { v: 1 }, pairedItem: { item: 1 } }],
  ]);
});

test('names node, item and condition of a type error', async () => {
  const { error } = await runNode({ type: 'if', version: 2.2, items: [{ v: 2 }, { v: 'x' }], parameters: { conditions: overOne() } });
  expect(error).toMatchObject({ code: 'ConditionType', node: 'Node', itemIndex: 1, parameter: 'conditions.conditions[0]' });
});

test.each([
  { name: 'options of version 2', parameters: { options: { looseTypeValidation: true } } }, { name: 'a parameter of version 2.2', parameters: { looseTypeValidation: true } },
])('converts by $name', async ({ parameters }) => {
  const { json } = await runNode({ type: 'if', version: 2, items: [{ v: '2' }], parameters: { conditions: overOne(), ...parameters } });
  expect(json[0]).toEqual([{ v: '2' }]);
});

test.each([
  { combineOperation: 'all', want: [[{ a: 'x', n: 5 }], [{ a: 'y', n: 5 }]] }, { combineOperation: 'any', want: [[{ a: 'x', n: 5 }, { a: 'y', n: 5 }], []] },
])('version 1 combines $combineOperation', async ({ combineOperation, want }) => {
  const conditions = { string: [{ value1: '={{ $json.a }}', value2: 'x' }], number: [{ value1: '={{ $json.n }}', operation: 'larger', value2: 3 }] };
  expect((await runNode({ type: 'if', version: 1, items: [{ a: 'x', n: 5 }, { a: 'y', n: 5 }], parameters: { conditions, combineOperation } })).json).toEqual(want);
});

test('sends what it cannot judge to its error output, as n8n to "false"', async () => {
  const given = { type: 'if', version: 2.2, items: [{ v: 'x' }], parameters: { conditions: overOne() }, onError: 'ErrorOutput' } as const;
  expect((await runNode(given)).json).toEqual([[], [], [expect.objectContaining({ v: 'x' })]]);
  expect((await runNode({ ...given, compat: 'n8n-v2' })).json.slice(0, 2)).toEqual([[], [{ v: 'x' }]]);
});
