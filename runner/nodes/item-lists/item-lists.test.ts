import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';

test.each([
  { version: 3, parameters: { fieldToSplitOut: 'l' }, want: [{ l: 2 }, { l: 1 }] },
  { version: 3, parameters: { operation: 'concatenateItems', aggregate: 'aggregateAllItemData' }, want: [{ data: [{ l: [2, 1], k: 1 }] }] },
  { version: 1, parameters: { operation: 'aggregateItems', fieldsToAggregate: { fieldToAggregate: [{ fieldToAggregate: 'k' }] } }, want: [{ k: [1] }] },
  { version: 2.2, parameters: { operation: 'summarize', fieldsToSummarize: { values: [{ aggregation: 'countUnique', field: 'k' }] } }, want: [{ unique_count_k: 1 }] },
  { version: 1, parameters: { operation: 'removeDuplicates', compare: 'selectedFields', fieldsToCompare: { fields: [{ fieldName: 'k' }] } }, want: [{ l: [2, 1], k: 1 }] },
  { version: 3, parameters: { operation: 'limit' }, want: [{ l: [2, 1], k: 1 }] },
  { version: 3, parameters: { operation: 'sort', sortFieldsUi: { sortField: [{ fieldName: 'k', order: 'ascending' }] } }, want: [{ l: [2, 1], k: 1 }] },
])('version $version: $parameters.operation', async ({ version, parameters, want }) => {
  expect((await runNode({ type: 'itemLists', version, items: [{ l: [2, 1], k: 1 }], parameters })).json).toEqual([want]);
});

test('refuses an operation it does not have', async () => expect((await runNode({ type: 'itemLists', parameters: { operation: 'juggle' } })).error).toMatchObject({ code: 'UnknownOperator' }));
