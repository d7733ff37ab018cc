import { expect, test } from '@jest/globals';
import { outputsAfterFailure, routeErrorItems } from './error-routing.ts';
import type { Item } from './item.ts';

const input: Item[] = [{ json: { v: 1 }, pairedItem: { item: 0 } }, { json: { v: 2 }, pairedItem: { item: 1 } }];
const failure = { code: 'TestFailed', message: 'no' };

test.each([
  { name: 'an item that carries an error', item: { json: {}, error: failure, pairedItem: { item: 1 } }, want: { v: 2, error: 'no' } },
  { name: 'only an error field', item: { json: { error: 'soft' }, pairedItem: { item: 0 } }, want: { v: 1, error: 'soft' } },
  { name: 'error and message', item: { json: { error: { code: 1 }, message: 'm' } }, want: { error: { code: 1 }, message: 'm' } },
  { name: 'one of an earlier run', item: { json: { error: 'soft' }, pairedItem: { item: 0, source: { node: 'A', output: 0, run: 0 } } }, want: { error: 'soft' } },
])('to the error output goes $name', ({ item, want }) => {
  const [regular, failed] = routeErrorItems([[{ json: { ok: 1 } }, item]], [input], 1);
  expect(regular).toEqual([{ json: { ok: 1 } }]);
  expect(failed?.map(({ json }) => json)).toEqual([want]);
  expect(failed?.[0]).not.toHaveProperty('error');
});

test.each([{ error: '' }, { error: 'e', other: 1 }, { message: 'm' }, {}])('an ordinary item stays: %j', (json) => {
  expect(routeErrorItems([[{ json }]], [input], 1)).toEqual([[{ json }], []]);
});

test('regular outputs that were not written are there, so that the error output keeps its place', () => {
  expect(routeErrorItems([[{ json: { error: 'e' } }]], [], 2)).toEqual([[], [], [{ json: { error: 'e' } }]]);
});

test('after a node failed as a whole its input goes on: to the error output in millrace, to the first in n8n', () => {
  expect(outputsAfterFailure([input], failure, 1, 'millrace')).toEqual([[], [{ ...input[0], json: { v: 1, error: 'no' } }, { ...input[1], json: { v: 2, error: 'no' } }]]);
  expect(outputsAfterFailure([input], failure, 1, 'n8n-v2')).toEqual([input]);
  expect(outputsAfterFailure([input], failure, undefined, 'millrace')).toEqual([input]);
});
