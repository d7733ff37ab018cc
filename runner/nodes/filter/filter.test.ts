import { expect, test } from '@jest/globals';
import { runNode } from '../testing/run-node.ts';

const startsWithA = { combinator: 'and', options: { caseSensitive: true }, conditions: [{ leftValue: '={{ $json.s }}', rightValue: 'a', operator: { type: 'string', operation: 'startsWith' } }] };

test('keeps items and records the discarded ones behind its output', async () => {
  expect((await runNode({ type: 'filter', version: 2.2, items: [{ s: 'ab' }, { s: 'b' }], parameters: { conditions: startsWithA } })).json).toEqual([[{ s: 'ab' }], [{ s: 'b' }]]);
});

test('ignores case by its option', async () => {
  expect((await runNode({ type: 'filter', version: 2.2, items: [{ s: 'AB' }], parameters: { conditions: startsWithA, options: { ignoreCase: true } } })).json[0]).toEqual([{ s: 'AB' }]);
});

test('has its error output where the discarded items are recorded', async () => {
  const { json } = await runNode({ type: 'filter', version: 2.2, items: [{ s: 5 }, { s: 'b' }, { s: 'a' }], parameters: { conditions: startsWithA }, onError: 'ErrorOutput' });
  expect(json).toEqual([[{ s: 'a' }], [expect.objectContaining({ s: 5 })]]);
});

test('version 1 combines with OR', async () => {
  const conditions = { string: [{ value1: '={{ $json.s }}', operation: 'contains', value2: 'x' }, { value1: '={{ $json.s }}', operation: 'isEmpty' }] };
  expect((await runNode({ type: 'filter', version: 1, items: [{ s: 'x' }, { s: '' }, { s: 'b' }], parameters: { conditions, combineConditions: 'OR' } })).json[0]).toEqual([{ s: 'x' }, { s: '' }]);
});
