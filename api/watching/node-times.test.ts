import { expect, test } from '@jest/globals';
import type { WorkflowDefinition } from '../../runner/engine/workflow.ts';
import type { ExecutionDetail } from '../../store/executions.ts';
import { addUp } from './node-times.ts';

const detail = (nodes: { node: string; durationMs: number }[], change: Partial<ExecutionDetail> = {}): ExecutionDetail => ({
  id: 'e', namespace: 'shop', workflow: 'orders', uid: 'u', revision: 'r1', mode: 'Webhook', status: 'Succeeded', pool: 'default', priority: 5, createdAt: 0, attempts: 1, crashes: 0,
  hasItems: false, ...change, nodes: nodes.map((run) => ({ runIndex: 0, status: 'success', items: [1], startedAt: 0, ...run })),
});
const node = (name: string, type: string, url?: string) => ({ name, type, typeVersion: 1, position: [0, 0] as [number, number], parameters: url === undefined ? {} : { url } });
const definition = (...nodes: ReturnType<typeof node>[]): WorkflowDefinition => ({ id: 'shop/orders', name: 'orders', nodes, connections: [] });

test('adds up by node and pool, the slowest first', () => {
  const definitions = new Map([['r1', definition(node('Call', 'httpRequest', 'https://api.example:8443/v1/orders'), node('Set', 'set'))]]);
  const runs = [{ node: 'Set', durationMs: 10 }, { node: 'Call', durationMs: 40 }];
  expect(addUp([detail(runs), detail(runs), detail([{ node: 'Set', durationMs: 5 }], { pool: 'other' })], definitions)).toEqual([
    { pool: 'other', namespace: 'shop', workflow: 'orders', node: 'Set', type: 'set', runs: 1, meanMs: 5, share: 1 },
    { pool: 'default', namespace: 'shop', workflow: 'orders', node: 'Call', type: 'httpRequest', host: 'api.example:8443', runs: 2, meanMs: 40, share: 0.8 },
    { pool: 'default', namespace: 'shop', workflow: 'orders', node: 'Set', type: 'set', runs: 2, meanMs: 10, share: 0.2 },
  ]);
});

test.each([
  { url: '=https://api.example/{{ $json.id }}', want: 'api.example' },
  { url: 'https://user:secret@api.example/x', want: undefined },
  { url: '={{ $json.url }}', want: undefined },
  { url: '=https://{{ $json.host }}/x', want: undefined },
  { url: 'https://api.{{ 1 }}.example', want: undefined },
])('the host of $url is $want', ({ url, want }) => {
  const [time] = addUp([detail([{ node: 'Call', durationMs: 1 }])], new Map([['r1', definition(node('Call', 'httpRequest', url))]]));
  expect(time?.host).toBe(want);
});

test('a revision that is gone leaves the name', () => {
  expect(addUp([detail([{ node: 'Call', durationMs: 1 }])], new Map())).toMatchObject([{ node: 'Call', type: 'unknown' }]);
});
