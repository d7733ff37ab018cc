import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

const items = [{ k: 'a', v: 3, s: 'x' }, { k: 'b', v: 1, s: '' }, { k: 'a', v: '2', s: 'x' }, { v: null, s: 'y' }];
const summarize = (values: JsonObject[], more: JsonObject = {}, version = 1.1): ReturnType<typeof runNode> =>
  runNode({ type: 'summarize', version, items, parameters: { fieldsToSummarize: { values }, ...more } });

test.each([
  [{ aggregation: 'sum', field: 'v' }, { sum_v: 6 }], [{ aggregation: 'average', field: 'v' }, { average_v: 2 }], [{ aggregation: 'average', field: 'none' }, { average_none: null }],
  [{ aggregation: 'count', field: 's' }, { count_s: 3 }], [{ aggregation: 'count', field: 's', includeEmpty: true }, { count_s: 4 }],
  [{ aggregation: 'countUnique', field: 's' }, { unique_count_s: 2 }], [{ aggregation: 'min', field: 's' }, { min_s: 'x' }], [{ aggregation: 'max', field: 's' }, { max_s: 'y' }],
  [{ aggregation: 'append', field: 's' }, { appended_s: ['x', 'x', 'y'] }],
  [{ aggregation: 'concatenate', field: 's' }, { concatenated_s: 'x,x,y' }], [{ aggregation: 'concatenate', field: 's', separateBy: 'other', customSeparator: ' + ' }, { concatenated_s: 'x + x + y' }],
])('computes %p', async (column, want) => expect((await summarize([column])).json).toEqual([[want]]));

test('groups by several fields, links groups to their items and skips incomplete ones if asked', async () => {
  const { json, outputs } = await summarize([{ aggregation: 'count', field: 'v' }], { fieldsToSplitBy: 'k, s' });
  expect(json[0]).toEqual([{ k: 'a', s: 'x', count_v: 2 }, { k: 'b', s: '', count_v: 1 }, { k: null, s: 'y', count_v: 0 }]);
  expect(outputs[0]?.map(({ pairedItem }) => pairedItem)).toEqual([[{ item: 0 }, { item: 2 }], [{ item: 1 }], [{ item: 3 }]]);
  expect((await summarize([{ aggregation: 'count', field: 'v' }], { fieldsToSplitBy: 'k', options: { skipEmptySplitFields: true } })).json[0]).toHaveLength(2);
});

test('nests groups in one item, whatever their names are', async () => {
  const { json } = await runNode({
    type: 'summarize', items: [{ a: '__proto__', b: 1, v: 1 }, { a: 'x', b: 2, v: 2 }],
    parameters: { fieldsToSummarize: { values: [{ aggregation: 'sum', field: 'v' }] }, fieldsToSplitBy: 'a,b', options: { outputFormat: 'singleItem' } },
  });
  expect(JSON.stringify(json)).toBe('[[{"__proto__":{"1":{"sum_v":1}},"x":{"2":{"sum_v":2}}}]]');
});

test.each([
  [[{ aggregation: 'sum', field: 's' }], 1.1, 'FieldType'], [[{ aggregation: 'sum', field: 'none' }], 1, 'FieldMissing'], [[{ aggregation: 'guess', field: 'v' }], 1.1, 'UnknownOperator'],
  [[{ aggregation: 'sum' }], 1.1, 'ParameterMissing'], [[], 1.1, 'ParameterMissing'],
])('refuses %p in version %p', async (values, version, code) => expect((await summarize(values, {}, version)).error).toMatchObject({ code, node: 'Node' }));
