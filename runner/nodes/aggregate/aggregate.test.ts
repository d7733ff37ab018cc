import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

const field = (name: string, outputFieldName?: string): JsonObject => ({ fieldToAggregate: name, ...(outputFieldName && { renameField: true, outputFieldName }) });
const aggregate = (fields: JsonObject[], options: JsonObject = {}): ReturnType<typeof runNode> =>
  runNode({ type: 'aggregate', items: [{ v: [1], g: { h: 1 } }, { v: [2, 3], g: { h: null } }, { w: 1 }], parameters: { fieldsToAggregate: { fieldToAggregate: fields }, options } });

test.each([
  { fields: [field('g.h')], options: {}, want: { h: [1] } },
  { fields: [field('g.h')], options: { keepMissing: true }, want: { h: [1, null, null] } },
  { fields: [field('v')], options: { mergeLists: true }, want: { v: [1, 2, 3] } },
  { fields: [field('v', 'deep.list')], options: {}, want: { deep: { list: [[1], [2, 3]] } } },
])('collects $fields with $options', async ({ fields, options, want }) => expect((await aggregate(fields, options)).json).toEqual([[want]]));

test('links its one item to all', async () => expect((await aggregate([field('v')])).outputs[0]?.[0]?.pairedItem).toEqual([{ item: 0 }, { item: 1 }, { item: 2 }]));

test('refuses two fields of one name', async () => expect((await aggregate([field('v'), field('g.v')])).error).toMatchObject({ code: 'ParameterMismatch' }));

test('collects whole items, with some of their fields', async () => {
  const parameters = { aggregate: 'aggregateAllItemData', include: 'specifiedFields', fieldsToInclude: 'a', destinationFieldName: 'x.rows' };
  expect((await runNode({ type: 'aggregate', items: [{ a: 1, b: 2 }, { b: 3 }], parameters })).json).toEqual([[{ x: { rows: [{ a: 1 }, {}] } }]]);
});

test('hands files on under names of their own, equal ones once if asked', async () => {
  const file = (sha256: string) => ({ data: { id: sha256, mimeType: 'text/plain', size: 1, sha256 } });
  const names = async (options: JsonObject): Promise<string[]> => {
    const inputs = [['a', 'b', 'a'].map((sha256) => ({ json: {}, binary: file(sha256) }))];
    const { outputs } = await runNode({ type: 'aggregate', inputs, parameters: { aggregate: 'aggregateAllItemData', options } });
    return Object.keys(outputs[0]?.[0]?.binary ?? {});
  };
  expect([await names({}), await names({ includeBinaries: true }), await names({ includeBinaries: true, keepOnlyUnique: true })]).toEqual([[], ['data', 'data_1', 'data_2'], ['data', 'data_1']]);
});
