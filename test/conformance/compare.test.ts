import { expect, test } from '@jest/globals';
import type { Recording } from './case.ts';
import { compareRecordings } from './compare.ts';

const recording = (item: object = {}, more: object = {}): Recording => ({
  status: 'success', order: ['A#0'],
  nodes: { A: [{ status: 'success', source: [], outputs: [[{ json: { v: 1, w: 2 }, pairedItem: { item: 0 }, ...item }], []] }] },
  ...more,
});

test.each<{ name: string; actual: Recording }>([
  { name: 'the same', actual: recording() },
  { name: 'keys in another order', actual: recording({ json: { w: 2, v: 1 } }) },
  { name: 'a pair written as a number', actual: recording({ pairedItem: 0 }) },
  { name: 'a pair written as a list with its input', actual: recording({ pairedItem: [{ item: 0, input: 0 }, { item: 0 }] }) },
  { name: 'no trailing empty output', actual: { ...recording(), nodes: { A: [{ status: 'success', source: [], outputs: [[{ json: { v: 1, w: 2 }, pairedItem: 0 }]] }] } } },
])('$name does not differ', ({ actual }) => {
  expect(compareRecordings(recording(), actual)).toEqual([]);
});

test.each<{ name: string; actual: Recording; want: RegExp }>([
  { name: 'status', actual: recording({}, { status: 'error' }), want: /^status: expected "success", found "error"$/ },
  { name: 'order', actual: recording({}, { order: [] }), want: /^order/ },
  { name: 'JSON', actual: recording({ json: { v: 2, w: 2 } }), want: /^A#0 output 0 item 0 json/ },
  { name: 'pairing', actual: recording({ pairedItem: { item: 0, input: 1 } }), want: /pairedItem/ },
  { name: 'a file', actual: recording({ binary: { data: { mimeType: 'text/plain' } } }), want: /binary/ },
  { name: 'a node that should not have run', actual: recording({}, { nodes: { ...recording().nodes, B: [{ status: 'success' }] } }), want: /^B: runs/ },
])('$name differs', ({ actual, want }) => {
  expect(compareRecordings(recording(), actual)).toEqual([expect.stringMatching(want)]);
});

test('of errors, the node and that there is one count, not the wording', () => {
  const failed = (error: object | undefined, text: unknown): Recording => recording({ json: { error: text } }, error ? { error } : {});
  expect(compareRecordings(failed({ node: 'A', message: 'x' }, 'x'), failed({ node: 'A', message: 'y' }, 'y'))).toEqual([]);
  expect(compareRecordings(failed({ node: 'A' }, 'x'), failed({ node: 'B' }, 'x'))).toEqual([expect.stringMatching(/^error\.node/)]);
  expect(compareRecordings(failed({ node: 'A' }, 'x'), failed(undefined, ''))).toHaveLength(2);
});

test('calls are compared with their answers, children with theirs', () => {
  const made: Recording = { runs: [recording()], responses: [{ status: 200, body: '{"a":1,"b":2}' }], subExecutions: { child: [recording()] } };
  expect(compareRecordings(made, { ...made, responses: [{ status: 200, body: '{"b":2,"a":1}' }] })).toEqual([]);
  expect(compareRecordings(made, { ...made, responses: [{ status: 201, body: '{"a":1,"b":2}' }], subExecutions: {} })).toHaveLength(5);
});
