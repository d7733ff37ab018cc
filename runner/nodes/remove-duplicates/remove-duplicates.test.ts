import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import { runNode } from '../testing/run-node.ts';

test('compares structure, not the order of keys', async () => {
  expect((await runNode({ type: 'removeDuplicates', items: [{ a: 1, b: [1] }, { b: [1], a: 1 }, { a: 1, b: ['1'] }] })).json).toEqual([[{ a: 1, b: [1] }, { a: 1, b: ['1'] }]]);
});

test('compares named fields, keeps only them if asked, and says which item lacks one', async () => {
  const parameters = { compare: 'selectedFields', fieldsToCompare: 'k.id', options: { removeOtherFields: true } };
  const { outputs } = await runNode({ type: 'removeDuplicates', version: 2, items: [{ k: { id: 1 }, x: 1 }, { k: { id: 1 } }, { k: { id: 2 } }], parameters, compat: 'millrace' });
  expect(outputs).toEqual([[{ json: { k: { id: 1 } }, pairedItem: { item: 0 } }, { json: { k: { id: 2 } }, pairedItem: { item: 2 } }]]);
  expect((await runNode({ type: 'removeDuplicates', items: [{ k: { id: 1 } }, {}], parameters })).error).toMatchObject({ code: 'FieldMissing', itemIndex: 1 });
});

/** Runs the node twice with the static data of the first run. */
async function twice(parameters: JsonObject, first: JsonObject[], second: JsonObject[]): Promise<unknown[]> {
  const staticData = { global: {}, nodes: {} };
  const given = { type: 'removeDuplicates', version: 2, mode: 'Webhook', parameters: { operation: 'removeItemsSeenInPreviousExecutions', ...parameters } } as const;
  const before = await runNode({ ...given, items: first, host: { staticData } });
  Object.assign(staticData.global, before.result.staticData?.global);
  Object.assign(staticData.nodes, before.result.staticData?.nodes);
  const after = await runNode({ ...given, items: second, host: { staticData } });
  return [before.json[0], after.json[0]];
}

test.each([
  { name: 'values', parameters: { dedupeValue: '={{ $json.v }}' }, first: [{ v: 'a' }, { v: 'a' }], second: [{ v: 'b' }, { v: 'a' }], want: [[{ v: 'a' }], [{ v: 'b' }]] },
  { name: 'the last values only', parameters: { dedupeValue: '={{ $json.v }}', options: { historySize: 1 } }, first: [{ v: 'a' }, { v: 'b' }], second: [{ v: 'a' }, { v: 'b' }], want: [[{ v: 'a' }, { v: 'b' }], [{ v: 'a' }]] },
  { name: 'the largest number', parameters: { logic: 'removeItemsUpToStoredIncrementalKey', incrementalDedupeValue: '={{ $json.v }}' }, first: [{ v: 5 }, { v: 3 }], second: [{ v: 4 }, { v: 6 }], want: [[{ v: 5 }, { v: 3 }], [{ v: 6 }]] },
  { name: 'the latest date', parameters: { logic: 'removeItemsUpToStoredDate', dateDedupeValue: '={{ $json.v }}', options: { scope: 'workflow' } }, first: [{ v: '2024-01-02' }], second: [{ v: '2024-01-01' }, { v: '2024-01-03' }], want: [[{ v: '2024-01-02' }], [{ v: '2024-01-03' }]] },
])('remembers $name over executions', async ({ parameters, first, second, want }) => expect(await twice(parameters, first, second)).toEqual(want));
