import { expect, test } from '@jest/globals';
import type { Item } from './item.ts';
import { linkOutputs, stampInputs } from './item-linking.ts';
import type { Inputs } from './item-linking.ts';

const items = (count: number): Item[] => Array.from({ length: count }, (_, n) => ({ json: { n } }));

test('inputs are stamped with their place, and share their JSON with the sender', () => {
  const sent: Item[] = [{ json: { a: 1 }, pairedItem: { item: 7 }, error: { code: 'X', message: 'x' } }];
  const [first, second] = stampInputs([sent, null]);
  expect(first).toEqual([{ json: { a: 1 }, pairedItem: { item: 0 } }]);
  expect(first?.[0]?.json).toBe(sent[0]?.json);
  expect(second).toBeNull();
  expect(stampInputs([null, sent])[1]?.[0]?.pairedItem).toEqual({ item: 0, input: 1 });
});

test.each<{ name: string; inputs: Inputs; outputs: number[]; want: (number | undefined)[][] }>([
  { name: 'one input item: all of them', inputs: [items(1)], outputs: [2, 1], want: [[0, 0], [0]] },
  { name: 'as many out as in: one by one', inputs: [items(2)], outputs: [2], want: [[0, 1]] },
  { name: 'one item out: to the first', inputs: [items(3)], outputs: [1], want: [[0]] },
  { name: 'another number: not at all', inputs: [items(2)], outputs: [3], want: [[undefined, undefined, undefined]] },
  { name: 'two outputs: not at all', inputs: [items(2)], outputs: [2, 2], want: [[undefined, undefined], [undefined, undefined]] },
  { name: 'two inputs: not at all', inputs: [items(1), items(1)], outputs: [1], want: [[undefined]] },
])('unlinked outputs are linked: $name', ({ inputs, outputs, want }) => {
  const made = outputs.map(items);
  linkOutputs(made, inputs);
  expect(made.map((each) => each.map(({ pairedItem }) => (pairedItem as { item: number } | undefined)?.item))).toEqual(want);
});

test('what the node linked itself stays', () => {
  const made: Item[][] = [[{ json: {}, pairedItem: { item: 5 } }]];
  linkOutputs(made, [items(1)]);
  expect(made[0]?.[0]?.pairedItem).toEqual({ item: 5 });
});
