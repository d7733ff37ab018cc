import { expect, test } from '@jest/globals';
import type { Item, JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

const items = (...list: JsonObject[]): Item[] => list.map((json) => ({ json }));
const A = items({ id: 1, a: 'a1' }, { id: 2, a: 'a2' });
const B = items({ id: 2, b: 'b2' }, { id: 3, b: 'b3' });
const merge = (parameters: JsonObject, inputs: Item[][] = [A, B], version = 3.2): ReturnType<typeof runNode> => runNode({ type: 'merge', version, parameters, inputs });

test.each([
  { joinMode: 'keepMatches', want: [{ id: 2, a: 'a2', b: 'b2' }] },
  { joinMode: 'keepNonMatches', want: [{ id: 1, a: 'a1', _source: 'input1' }, { id: 3, b: 'b3', _source: 'input2' }] },
  { joinMode: 'keepEverything', want: [{ id: 2, a: 'a2', b: 'b2' }, { id: 1, a: 'a1' }, { id: 3, b: 'b3' }] },
  { joinMode: 'enrichInput1', want: [{ id: 2, a: 'a2', b: 'b2' }, { id: 1, a: 'a1' }] },
  { joinMode: 'enrichInput2', want: [{ id: 2, a: 'a2', b: 'b2' }, { id: 3, b: 'b3' }] },
])('joins by fields: $joinMode', async ({ joinMode, want }) => {
  expect((await merge({ mode: 'combine', fieldsToMatchString: 'id', joinMode })).json).toEqual([want]);
});

test.each([
  { outputDataFrom: 'input1', joinMode: 'keepMatches', want: [{ id: 2, a: 'a2' }] }, { outputDataFrom: 'input2', joinMode: 'keepMatches', want: [{ id: 2, b: 'b2' }] },
  { outputDataFrom: 'input1', joinMode: 'keepNonMatches', want: [{ id: 1, a: 'a1' }] },
])('gives only the data of $outputDataFrom: $joinMode', async ({ outputDataFrom, joinMode, want }) => {
  expect((await merge({ mode: 'combine', fieldsToMatchString: 'id', joinMode, outputDataFrom })).json).toEqual([want]);
});

test('matches fields of different names, also nested ones, and never a missing one', async () => {
  const parameters = { mode: 'combine', advanced: true, mergeByFields: { values: [{ field1: 'k.id', field2: 'ref' }] } };
  expect((await merge(parameters, [items({ k: { id: 1 } }, { x: 1 }), items({ ref: 1 }, { y: 1 })])).json).toEqual([[{ k: { id: 1 }, ref: 1 }]]);
});

test.each([
  { clash: { resolveClash: 'preferInput1' }, want: { k: 'one', o: { x: 1, y: 1, z: 2 } } },
  { clash: { resolveClash: 'preferInput2', mergeMode: 'shallowMerge' }, want: { k: 'two', o: { y: 2, z: 2 } } },
  { clash: { resolveClash: 'addSuffix' }, want: { k_1: 'one', o_1: { x: 1, y: 1 }, k_2: 'two', o_2: { y: 2, z: 2 } } },
])('resolves clashes: $clash', async ({ clash, want }) => {
  const parameters = { mode: 'combine', combineBy: 'combineByPosition', options: { clashHandling: { values: clash } } };
  expect((await merge(parameters, [items({ k: 'one', o: { x: 1, y: 1 } }), items({ k: 'two', o: { y: 2, z: 2 } })])).json).toEqual([[want]]);
});

test('lets empty values give way', async () => {
  const parameters = { mode: 'combine', combineBy: 'combineByPosition', options: { clashHandling: { values: { resolveClash: 'preferLast', overrideEmpty: true } } } };
  expect((await merge(parameters, [items({ a: 1 }), items({ a: '' })])).json).toEqual([[{ a: 1 }]]);
});

test('combines by position, with unpaired items if asked', async () => {
  const three = [items({ a: 1 }, { a: 2 }), items({ b: 1 })];
  expect((await merge({ mode: 'combine', combineBy: 'combineByPosition' }, three)).json).toEqual([[{ a: 1, b: 1 }]]);
  expect((await merge({ mode: 'combine', combineBy: 'combineByPosition', options: { includeUnpaired: true } }, three)).json).toEqual([[{ a: 1, b: 1 }, { a: 2 }]]);
});

test('gives every combination', async () => {
  const { json, outputs } = await merge({ mode: 'combine', combineBy: 'combineAll' }, [items({ a: 1 }, { a: 2 }), items({ b: 1 }, { b: 2 })]);
  expect(json).toEqual([[{ a: 1, b: 1 }, { a: 1, b: 2 }, { a: 2, b: 1 }, { a: 2, b: 2 }]]);
  expect(outputs[0]?.[1]?.pairedItem).toEqual([{ item: 0 }, { item: 1, input: 1 }]);
});

test.each([
  { version: 2.1, parameters: { mode: 'combine', combinationMode: 'mergeByPosition' }, want: [{ id: 2, a: 'a1', b: 'b2' }, { id: 3, a: 'a2', b: 'b3' }] },
  { version: 2, parameters: { mode: 'chooseBranch', output: 'input2' }, want: [{ id: 2, b: 'b2' }, { id: 3, b: 'b3' }] },
  { version: 1, parameters: { mode: 'mergeByIndex', join: 'inner' }, want: [{ id: 2, a: 'a1', b: 'b2' }, { id: 3, a: 'a2', b: 'b3' }] },
  { version: 1, parameters: { mode: 'removeKeyMatches', propertyName1: 'id', propertyName2: 'id' }, want: [{ id: 1, a: 'a1' }] },
  { version: 1, parameters: { mode: 'keepKeyMatches', propertyName1: 'id', propertyName2: 'id' }, want: [{ id: 2, a: 'a2' }] },
  { version: 1, parameters: { mode: 'passThrough', output: 'input2' }, want: [{ id: 2, b: 'b2' }, { id: 3, b: 'b3' }] },
])('version $version: $parameters.mode', async ({ version, parameters, want }) => {
  expect((await merge(parameters, [A, B], version)).json).toEqual([want]);
});

test('needs a field to match', async () => {
  expect((await merge({ mode: 'combine' })).error).toMatchObject({ code: 'ParameterMissing', node: 'Node', parameter: 'fieldsToMatchString' });
});
