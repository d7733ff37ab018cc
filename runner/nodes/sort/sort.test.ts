import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

const by = (...fields: [string, 'ascending' | 'descending'][]): JsonObject => ({ sortFieldsUi: { sortField: fields.map(([fieldName, order]) => ({ fieldName, order })) } });

test.each([
  { name: 'numbers by size', items: [10, 9, 1], parameters: by(['v', 'ascending']), want: [1, 9, 10] },
  { name: 'text without regard to case', items: ['b', 'A', 'c'], parameters: by(['v', 'descending']), want: ['c', 'b', 'A'] },
  { name: 'equal values in their order', items: ['a', 'A', 'a'], parameters: by(['v', 'ascending']), want: ['a', 'A', 'a'] },
])('sorts $name', async ({ items, parameters, want }) => {
  expect((await runNode({ type: 'sort', items: items.map((v) => ({ v })), parameters })).json[0]?.map(({ v }) => v)).toEqual(want);
});

test('sorts by several fields and puts missing values last', async () => {
  const items = [{ k: 2, i: 0 }, { i: 1 }, { k: 1, i: 2 }, { k: 2, i: 3 }];
  expect((await runNode({ type: 'sort', items, parameters: by(['k', 'ascending'], ['i', 'descending']) })).json[0]?.map(({ i }) => i)).toEqual([2, 3, 0, 1]);
});

test('shuffles with the randomness of the execution', async () => {
  const parameters = { type: 'random' };
  const draw = async (random: number): Promise<unknown> => (await runNode({ type: 'sort', items: [{ v: 1 }, { v: 2 }, { v: 3 }], parameters, host: { random: () => random } })).json;
  expect(await draw(0)).toEqual([[{ v: 2 }, { v: 3 }, { v: 1 }]]);
  expect(await draw(0.999)).toEqual([[{ v: 1 }, { v: 2 }, { v: 3 }]]);
});

test('takes only positions back from code', async () => {
  const { outputs } = await runNode({ type: 'sort', items: [{ v: 1 }, { v: 2 }], parameters: { type: 'code', code: 'return 0;' }, runCode: async () => [1, 0, 7, 'x'] });
  expect(outputs[0]).toEqual([{ json: { v: 2 }, pairedItem: { item: 1 } }, { json: { v: 1 }, pairedItem: { item: 0 } }]);
});

test('fails when no item has the field', async () => {
  expect((await runNode({ type: 'sort', items: [{ v: 1 }], parameters: by(['x', 'ascending']) })).error).toMatchObject({ code: 'FieldMissing', parameter: 'sortFieldsUi' });
});
