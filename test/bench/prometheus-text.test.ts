import { expect, test } from '@jest/globals';
import { sumOf } from './prometheus-text.ts';

const text = `# HELP reconcile_total Passes
reconcile_total{controller="workflow",result="done"} 12
reconcile_total{controller="workflow",result="failed"} 1
reconcile_total{controller="runner-pool",result="done"} 3
reconcile_total_other{controller="workflow"} 100
up 1
`;

test('sums the samples whose labels are wanted', () => {
  expect(sumOf(text, 'reconcile_total', ({ controller }) => controller === 'workflow')).toBe(13);
  expect(sumOf(text, 'up', () => true)).toBe(1);
  expect(sumOf(text, 'absent', () => true)).toBe(0);
});
