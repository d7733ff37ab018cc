import { expect, test } from '@jest/globals';
import type { Item, JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

const items = (...list: JsonObject[]): Item[] => list.map((json) => ({ json }));
const compare = (parameters: JsonObject, a: Item[], b: Item[], version = 2.3): ReturnType<typeof runNode> =>
  runNode({ type: 'compareDatasets', version, inputs: [a, b], parameters: { mergeByFields: { values: [{ field1: 'id', field2: 'key' }] }, ...parameters } });

test('matches fields of different names and shows both versions', async () => {
  const { json } = await compare({}, items({ id: 1, v: 1 }, { id: 2, v: 1 }), items({ key: 2, v: 2 }, { key: 3 }));
  expect(json).toEqual([[{ id: 1, v: 1 }], [], [{ keys: { id: 2 }, same: { id: 2 }, different: { v: { inputA: 1, inputB: 2 } } }], [{ key: 3 }]]);
});

test.each([
  { parameters: { resolve: 'mix', preferWhenMix: 'input1', exceptWhenMix: 'w' }, want: { id: 1, key: 1, v: 'a', w: 'b' } },
  { parameters: { resolve: 'preferInput1' }, want: { id: 1, v: 'a', w: 'a' } },
])('resolves with $parameters.resolve', async ({ parameters, want }) => {
  expect((await compare(parameters, items({ id: 1, v: 'a', w: 'a' }), items({ key: 1, v: 'b', w: 'b' }))).json[2]).toEqual([want]);
});

test('does not count skipped fields, nor types if it is to be fuzzy', async () => {
  const sides = [items({ id: '1', v: '5', t: 1 }), items({ key: 1, v: 5, t: 2 })] as const;
  expect((await compare({ fuzzyCompare: true, options: { skipFields: 't' } }, ...sides)).json[1]).toEqual([{ id: '1', v: '5', t: 1 }]);
  expect((await compare({}, ...sides)).json.map((list) => list.length)).toEqual([1, 0, 0, 1]);
});

test.each([{ multipleMatches: 'first', same: 1 }, { multipleMatches: 'all', same: 2 }])('looks at $multipleMatches of several matches', async ({ multipleMatches, same }) => {
  const { json } = await compare({ options: { multipleMatches } }, items({ id: 1 }), items({ key: 1 }, { key: 1 }));
  expect([json[1]?.length, json[3]?.length ?? 0]).toEqual([same, 0]);
});
