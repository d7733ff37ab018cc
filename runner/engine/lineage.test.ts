import { expect, test } from '@jest/globals';
import type { Item, PairedItem } from './item.ts';
import { connectingOutput, linkedItem } from './lineage.ts';
import type { ExecutionView } from './execution-view.ts';
import { ExecutionMode, type NodeRun, type Source } from './node-run.ts';
import type { Connection, WorkflowDefinition } from './workflow.ts';

const from = (node: string, output = 0, run = 0): Source => ({ node, output, run });
const item = (v: number, pairedItem?: PairedItem | PairedItem[]): Item => ({ json: { v }, ...(pairedItem === undefined ? {} : { pairedItem }) });

interface Given {
  /** `A>B`, or `A.1>B.2` with output and input. */
  wires: string;
  runs: Record<string, { source?: (Source | null)[]; outputs: (Item[] | null)[]; dropped?: boolean }[]>;
  /** Where the items of the node `Now` come from. */
  source?: (Source | null)[];
}

function view({ wires, runs, source = [] }: Given): ExecutionView {
  const connections = wires.split(' ').map((wire): Connection => {
    const [left = '', right = ''] = wire.split('>');
    const [start = '', output = '0'] = left.split('.');
    const [end = '', input = '0'] = right.split('.');
    return { from: start, output: Number(output), to: end, input: Number(input), type: 'main' };
  });
  const names = new Set([...connections.flatMap((each) => [each.from, each.to]), ...Object.keys(runs)]);
  const workflow: WorkflowDefinition = { id: 'w', name: 'w', connections, nodes: [...names].map((name) => ({ name, type: 'noOp' })) };
  const finished = Object.fromEntries(Object.entries(runs).map(([node, each]) => [node, each.map(({ source: own = [], outputs, dropped }, runIndex): NodeRun =>
    ({ node, runIndex, status: 'success', source: own, outputs: dropped ? [] : outputs, startedAt: 0, durationMs: 0, ...(dropped ? { droppedItems: [1] } : {}) }))]));
  return {
    workflow, source, executionId: 'e', mode: ExecutionMode.Manual, node: { name: 'Now', type: 'set' }, runIndex: 0, variables: {}, baseUrl: '', resumePath: 'e',
    input: () => [], runsOf: (name) => (names.has(name) ? (finished[name] ?? []) : undefined), stateOf: () => ({}), nodeNamed: () => undefined, now: () => 0, random: () => 0, staticData: () => ({}),
  };
}

const chain: Given = {
  wires: 'Start>In In>Sort Sort>Now In>Other Idle>Now', source: [from('Sort')],
  runs: {
    Start: [{ outputs: [[item(0)]] }], In: [{ source: [from('Start')], outputs: [[item(1, { item: 0 }), item(2, { item: 0 })]] }],
    Sort: [{ source: [from('In')], outputs: [[item(2, { item: 1 }), item(1, { item: 0 })]] }], Other: [{ source: [from('In')], outputs: [[item(9, { item: 0 })]] }],
  },
};
const withSort = (output: Item[], more: Partial<Given> = {}): Given => ({ ...chain, ...more, runs: { ...chain.runs, Sort: [{ source: [from('In')], outputs: [output] }] } });

const merged: Given = {
  wires: 'A>M B>M.1 M>Now', source: [from('M')],
  runs: { A: [{ outputs: [[item(1)]] }], B: [{ outputs: [[item(5)]] }], M: [{ source: [from('A'), from('B')], outputs: [[item(1, { item: 0 }), item(5, { item: 0, input: 1 }), item(6, [{ item: 0 }, { item: 0, input: 1 }, { item: 0, input: 1 }])]] }] },
};
/** Loop Over Items hands on the third item of In in its second run, whose source is the loop's body. */
const loop: Given = {
  wires: 'In>Loop Loop.1>Now Now>Loop', source: [from('Loop', 1, 1)],
  runs: {
    In: [{ outputs: [[item(1), item(2), item(3)]] }], Now: [{ source: [from('Loop', 1, 0)], outputs: [[item(1, { item: 0 })]] }],
    Loop: [{ source: [from('In')], outputs: [[], [item(1, { item: 0 })]] }, { source: [from('Now')], outputs: [[], [item(3, { item: 2, source: from('In') })]] }],
  },
};

test.each<{ name: string; given: Given; target: string; index: number; want: number | undefined | { code: string } }>([
  { name: 'the node before', given: chain, target: 'Sort', index: 0, want: 2 },
  { name: 'an item that was moved', given: chain, target: 'In', index: 0, want: 2 },
  { name: 'up to the trigger', given: chain, target: 'Start', index: 1, want: 0 },
  { name: 'an index that is not there', given: chain, target: 'In', index: 7, want: undefined },
  { name: 'a node that does not exist', given: chain, target: 'Nobody', index: 0, want: { code: 'NodeNotFound' } },
  { name: 'a node that has not run', given: { ...chain, runs: { ...chain.runs, Idle: [] } }, target: 'Idle', index: 0, want: { code: 'NodeNotExecuted' } },
  { name: 'a node on another branch', given: chain, target: 'Other', index: 0, want: { code: 'PairedItemUnreachable' } },
  { name: 'a node that does not link its items', given: withSort([item(3)]), target: 'In', index: 0, want: { code: 'PairedItemMissing' } },
  { name: 'an item made of several', given: withSort([item(3, [{ item: 0 }, { item: 1 }])]), target: 'In', index: 0, want: { code: 'PairedItemAmbiguous' } },
  { name: 'an item made of several of one', given: withSort([item(3, [{ item: 0 }, { item: 1 }])]), target: 'Start', index: 0, want: 0 },
  { name: 'the first side of a merge', given: merged, target: 'A', index: 2, want: 1 },
  { name: 'the second side of a merge', given: merged, target: 'B', index: 2, want: 5 },
  { name: 'an item that came from the other side', given: merged, target: 'A', index: 1, want: undefined },
  { name: 'a later pass of a loop', given: loop, target: 'In', index: 0, want: 3 },
  { name: 'a run without input', given: { ...chain, source: [null] }, target: 'In', index: 0, want: undefined },
  { name: 'dropped items', given: { ...chain, runs: { ...chain.runs, Sort: [{ source: [from('In')], outputs: [], dropped: true }] } }, target: 'In', index: 0, want: { code: 'NodeDataDropped' } },
])('$name', ({ given, target, index, want }) => {
  const find = () => linkedItem(view(given), target, index);
  if (typeof want === 'object') expect(find).toThrow(expect.objectContaining(want));
  else expect(find()?.json.v).toBe(want);
});

test('the output that leads to a node is that of the shortest way', () => {
  const { workflow } = view({ wires: 'If.0>A A>Now If.1>Now Switch.3>If', runs: {} });
  expect(['If', 'Switch', 'Nobody'].map((node) => connectingOutput(workflow, node, 'Now'))).toEqual([1, 3, 0]);
});
