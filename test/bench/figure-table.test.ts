import { expect, test } from '@jest/globals';
import { median, percentile } from './benchmark.ts';
import { figureTable } from './figure-table.ts';

test('a table says whether a target was met and what stands beside a figure', () => {
  const table = figureTable([
    { name: 'p50', value: 12.34, unit: 'ms', target: { atMost: 25 } },
    { name: 'throughput', value: 950, unit: '/s', target: { atLeast: 960 }, beside: { name: 'n8n', value: 32 } },
  ]);
  expect(table.split('\n')).toEqual([
    'figure      value    target        beside it',
    'p50         12.3 ms  ≤ 25 met',
    'throughput  950 /s   ≥ 960 MISSED  n8n: 32 /s',
  ]);
});

test.each([
  [[3, 1, 2], 2], [[4, 1, 3, 2], 2.5], [[7], 7],
])('the median of %j is %d', (values, want) => expect(median(values)).toBe(want));

test('percentile takes the nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1), percentile([5], 0.01)]).toEqual([50, 99, 100, 5]);
});
