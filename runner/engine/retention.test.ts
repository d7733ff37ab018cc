import { expect, test } from '@jest/globals';
import type { ExecutionView } from './execution-view.ts';
import { graphOf } from './graph.ts';
import { History } from './history.ts';
import type { Item } from './item.ts';
import { linkedItem } from './lineage.ts';
import type { NodeRun } from './node-run.ts';
import { retentionOf } from './retention.ts';
import { executeTest, jsonOf } from './testing/execute-test.ts';
import { testNodes } from './testing/test-nodes.ts';
import { patientHost } from './testing/test-host.ts';
import { workflowOf } from './testing/test-workflow.ts';

test.each([
  { text: "={{ $('A').item.json.v }}", want: 'A' },
  { text: '={{ $node["A"].json.v + $items(\'B\').length }}', want: 'AB' },
  { text: '={{ $node.B.json }}', want: 'B' },
  { text: '={{ $json.a }}', want: '' },
  { text: "$('A') as plain text", want: '' },
  { text: '={{ $($json.name).first() }}', want: 'AB' },
  { text: '={{ $node[$json.name] }}', want: 'AB' },
  { text: '={{ [$].map(f => f("A")) }}', want: 'AB' },
  { text: '={{ `costs ${ $json.v }` }}', want: '' },
])('$text keeps: $want', ({ text, want }) => {
  const graph = graphOf(workflowOf({ A: { type: 'pass' }, B: { type: 'pass' }, C: { type: 'set', parameters: { fields: { x: text } } } }, []), testNodes());
  const { isReferenced } = retentionOf(graph);
  expect(['A', 'B'].filter(isReferenced).join('')).toBe(want);
});

test('beyond the budget old runs keep their record; what is referred to and what ran last keep their items', async () => {
  const rows = Array.from({ length: 50 }, (_, n) => ({ text: 'x'.repeat(100), n }));
  const workflow = workflowOf(
    { Start: { type: 'start' }, A: { type: 'make', parameters: { rows } }, B: { type: 'pass' }, C: { type: 'pass' }, Use: { type: 'set', parameters: { fields: { n: "={{ $('A').n }}" } } } },
    ['Start > A', 'A > B', 'B > C', 'C > Use'],
  );
  const result = await executeTest(workflow, { historyBytes: 1000 });
  const [, a, b, c] = result.runs;
  expect(a?.outputs[0]).toHaveLength(50);
  expect([b, c]).toMatchObject([{ outputs: [], droppedItems: [50] }, { outputs: [], droppedItems: [50] }]);
  expect(jsonOf(result, 'Use')).toHaveLength(50);
});

test('what can be undone keeps its items to the end', async () => {
  const rows = Array.from({ length: 50 }, (_, n) => ({ text: 'x'.repeat(100), n }));
  const workflow = workflowOf(
    { Start: { type: 'start' }, A: { type: 'make', parameters: { rows } }, B: { type: 'effect' }, C: { type: 'pass' }, Bad: { type: 'fail' }, Undo: { type: 'pass' } },
    ['Start > A', 'A > B', 'B > C', 'C > Bad', 'B ~> Undo'],
  );
  const result = await executeTest(workflow, { historyBytes: 1000 }, patientHost());
  expect(result.runs.map(({ node, droppedItems }) => [node, droppedItems?.[0]])).toEqual([['Start', 1], ['A', 50], ['B', undefined], ['C', 50], ['Bad', undefined], ['Undo', undefined]]);
  expect(jsonOf(result, 'Undo')).toHaveLength(50);
});

test('items are followed back through runs whose items were dropped', () => {
  const workflow = workflowOf({ A: { type: 'pass' }, B: { type: 'pass' }, C: { type: 'pass' } }, ['A > B', 'B > C']);
  const history = new History({ isReferenced: (node) => node === 'A', followsItems: true }, 500);
  const add = (node: string, source: NodeRun['source'], items: Item[]): void =>
    history.add({ node, runIndex: 0, status: 'success', source, outputs: [items], startedAt: 0, durationMs: 0 });
  const text = 'x'.repeat(1000);
  add('A', [], [{ json: { v: 'first', text } }, { json: { v: 'second', text } }]);
  add('B', [{ node: 'A', output: 0, run: 0 }], [{ json: { text }, pairedItem: { item: 1 } }, { json: { text }, pairedItem: { item: 0 } }]);
  add('C', [{ node: 'B', output: 0, run: 0 }], [{ json: { text }, pairedItem: { item: 0 } }]);
  expect(history.runs[1]).toMatchObject({ node: 'B', outputs: [], droppedItems: [2] });
  const view = {
    workflow, node: { name: 'C', type: 'pass' }, source: [{ node: 'B', output: 0, run: 0 }],
    runsOf: (name: string) => history.of(name),
  } as unknown as ExecutionView;
  expect(linkedItem(view, 'A', 0)?.json['v']).toBe('second');
  expect(() => linkedItem(view, 'B', 0)).toThrow('dropped to save memory');
});
