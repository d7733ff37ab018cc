import { expect, test } from '@jest/globals';
import { testNodes } from '../../runner/engine/testing/test-nodes.ts';
import { ANNOTATION, importWorkflow } from './index.ts';
import type { Imported } from './index.ts';
import type { N8nWorkflow } from './n8n-workflow.ts';

const imported = (from: N8nWorkflow): Imported => importWorkflow(from, { id: 'ns/one', nodeTypes: testNodes() });
const node = (name: string, more: object = {}): object => ({ id: `id of ${name}`, name, type: 'n8n-nodes-base.pass', typeVersion: 1, position: [1, 2], parameters: {}, ...more });

test('nodes, wires and settings become ours', () => {
  const { definition, report } = imported({
    name: 'Old', active: true,
    nodes: [node('A', { disabled: true, notes: 'why' }), node('B', { executeOnce: true, alwaysOutputData: true, webhookId: 'w' })],
    connections: { A: { main: [null, [{ node: 'B', type: 'main', index: 1 }]], ai_tool: [[{ node: 'B', type: 'ai_tool', index: 0 }]] } },
    settings: { executionOrder: 'v1', timezone: 'Europe/Berlin', executionTimeout: 90, errorWorkflow: 'err', callerPolicy: 'workflowsFromAList', callerIds: 'a, b' },
  });
  expect(definition).toEqual({
    id: 'ns/one', name: 'Old', active: true, compat: 'n8n-v2',
    nodes: [
      { name: 'A', type: 'pass', typeVersion: 1, position: [1, 2], parameters: {}, disabled: true, notes: 'why' },
      { name: 'B', type: 'pass', typeVersion: 1, position: [1, 2], parameters: {}, executeOnce: true, alwaysOutputData: true, webhookId: 'w' },
    ],
    connections: [{ from: 'A', output: 1, to: 'B', input: 1, type: 'main' }, { from: 'A', output: 0, to: 'B', input: 0, type: 'ai_tool' }],
    settings: { executionOrder: 'v1', timezone: 'Europe/Berlin', timeout: '90s', errorWorkflow: 'err', callerPolicy: 'list', callers: ['a', 'b'] },
  });
  expect(report.map(({ verdict }) => verdict)).toEqual(['supported', 'supported']);
});

test.each([
  { from: { retryOnFail: true }, want: { retry: { maxTries: 3, wait: '1000ms' } } },
  { from: { retryOnFail: true, maxTries: 1, waitBetweenTries: 0 }, want: { retry: { maxTries: 2, wait: '1000ms' } } },
  { from: { retryOnFail: true, maxTries: 50, waitBetweenTries: 60_000 }, want: { retry: { maxTries: 5, wait: '5000ms' } } },
  { from: { maxTries: 4 }, want: {} },
  { from: { continueOnFail: true }, want: { onError: 'Continue' } },
  { from: { onError: 'continueErrorOutput' }, want: { onError: 'ErrorOutput' } },
  { from: { credentials: { api: { id: '7', name: 'Mine' } } }, want: { credentials: { api: { name: 'Mine' } } } },
])('of a node, $from becomes $want', ({ from, want }) => {
  const [made] = imported({ nodes: [node('A', from)] }).definition.nodes;
  expect(made).toEqual({ name: 'A', type: 'pass', typeVersion: 1, position: [1, 2], parameters: {}, ...want });
});

test('no executionOrder means the legacy order, DEFAULT means nothing', () => {
  expect(imported({ settings: { timezone: 'DEFAULT', executionTimeout: -1, errorWorkflow: 'DEFAULT' } }).definition.settings).toEqual({ executionOrder: 'v0' });
});

test('the report says what will not run, and why', () => {
  const { report, definition } = imported({
    nodes: [node('A', { typeVersion: 9 }), node('B', { type: '@n8n/n8n-nodes-langchain.agent' }), node('A'), { type: 'x' }, 'nonsense', node('Note', { type: 'n8n-nodes-base.stickyNote' })],
  });
  expect(report.map(({ verdict }) => verdict)).toEqual(['translated', 'stubbed', 'refused', 'refused', 'refused', 'translated']);
  expect(definition.nodes.map(({ name, type }) => `${name} ${type}`)).toEqual(['A pass', 'B @n8n/n8n-nodes-langchain.agent']);
});

test('what a Workflow has no place for is kept as an annotation', () => {
  const { annotations } = imported({ name: 'x', versionId: 'v', nodes: [node('A', { notesInFlow: true, credentials: { api: { id: '7', name: 'Mine' } } })], settings: { saveManualExecutions: true } });
  expect(JSON.parse(annotations[ANNOTATION] ?? '')).toEqual({
    workflow: { versionId: 'v' }, settings: { saveManualExecutions: true }, stickyNotes: [],
    nodes: { A: { id: 'id of A', notesInFlow: true, credentialIds: { api: '7' } } },
  });
});

test('pinned data becomes items, bare objects too', () => {
  const { definition } = imported({ nodes: [node('A')], pinData: { A: [{ json: { a: 1 }, binary: {} }, { b: 2 }, 'no item'], Gone: [{}] } });
  expect(definition.pinData).toEqual({ A: [{ json: { a: 1 } }, { json: { b: 2 } }] });
});

test.each([{}, { nodes: 5, connections: [], settings: null, pinData: 'x' }, { nodes: [null, [], { name: 1 }], connections: { A: 1, B: { main: 'x' } } }])('anything can be given: %j', (from) => {
  expect(imported(from).definition.nodes).toEqual([]);
});
