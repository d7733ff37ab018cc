import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';

test.each([
  { name: 'the values of an object', items: [{ l: { a: 1, b: 'x' } }], parameters: {}, want: [{ l: 1 }, { l: 'x' }] },
  { name: 'nothing of a missing field', items: [{ x: 1 }], parameters: {}, want: [] },
  { name: 'nothing of an empty list', items: [{ l: [] }], parameters: { include: 'allOtherFields' }, want: [] },
  { name: 'the other fields beside', items: [{ id: 1, deep: { z: 2, y: 3 }, l: [1] }], parameters: { include: 'selectedOtherFields', fieldsToInclude: 'id, deep.z' }, want: [{ id: 1, deep: { z: 2 }, l: 1 }] },
  { name: 'under another name', items: [{ l: [{ a: 1 }] }], parameters: { options: { destinationFieldName: 'e' } }, want: [{ e: { a: 1 } }] },
])('gives $name', async ({ items, parameters, want }) => {
  expect((await runNode({ type: 'splitOut', items, parameters: { fieldToSplitOut: 'l', ...parameters } })).json).toEqual([want]);
});

test('takes a name with a dot for a key when told to', async () => {
  const parameters = { fieldToSplitOut: 'a.l', options: { disableDotNotation: true } };
  expect((await runNode({ type: 'splitOut', items: [{ 'a.l': [1, 2] }], parameters })).json).toEqual([[{ 'a.l': 1 }, { 'a.l': 2 }]]);
});

test('is refused without a field, and wants a destination for each', async () => {
  expect((await runNode({ type: 'splitOut' })).error).toMatchObject({ code: 'ParameterInvalid', parameter: 'fieldToSplitOut' });
  expect((await runNode({ type: 'splitOut', parameters: { fieldToSplitOut: 'a, b', options: { destinationFieldName: 'x' } } })).error).toMatchObject({ code: 'ParameterMismatch' });
});

test('survives very long lists', async () => {
  const { json } = await runNode({ type: 'splitOut', items: [{ l: Array.from({ length: 200_000 }, (_, index) => index) }], parameters: { fieldToSplitOut: 'l' } });
  expect(json[0]).toHaveLength(200_000);
});
