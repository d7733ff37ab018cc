import { expect, test } from '@jest/globals';
import { executeTest, jsonOf, orderOf } from './testing/execute-test.ts';
import { workflowOf } from './testing/test-workflow.ts';
import type { NodeRun } from './node-run.ts';

const workflow = workflowOf(
  { Start: { type: 'start' }, A: { type: 'make', parameters: { rows: [{ a: 1 }] } }, B: { type: 'pass' }, Use: { type: 'set', parameters: { fields: { was: "={{ $('A').a }}" } } }, Other: { type: 'pass' } },
  ['Start > A', 'A > B', 'B > Use', 'Start > Other'],
);
const earlier = (node: string, json: object): NodeRun => ({ node, runIndex: 0, status: 'success', source: [], outputs: [[{ json: { ...json } }]], startedAt: 0, durationMs: 0 });

test('to a node: only what leads there runs', async () => {
  expect(orderOf(await executeTest(workflow, { partial: { to: 'B' } }))).toBe('Start#0 A#0 B#0');
});

test('from a node: it gets what ran before, and expressions see it', async () => {
  const result = await executeTest(workflow, { start: { node: '', items: [] }, partial: { from: 'B' }, runData: new Map([['A', [earlier('A', { a: 5 })]], ['Use', [earlier('Use', { was: 'old' })]]]) });
  expect(orderOf(result)).toBe('A#0 B#0 Use#0');
  expect(jsonOf(result, 'Use')).toEqual([{ was: 5 }]);
});

test('from a node whose feeder is pinned: the pinned items', async () => {
  const pinned = { ...workflow, pinData: { A: [{ json: { a: 7 } }] } };
  expect(jsonOf(await executeTest(pinned, { partial: { from: 'B', to: 'B' } }), 'B')).toEqual([{ a: 7 }]);
});

test.each([
  { partial: { from: 'B' }, code: 'PartialDataMissing' },
  { partial: { to: 'Nobody' }, code: 'StartNodeMissing' },
])('what cannot be done says why: $code', async ({ partial, code }) => {
  expect(await executeTest(workflow, { partial })).toMatchObject({ status: 'Failed', error: { code } });
});
