import { describe, expect, test } from '@jest/globals';
import type { WorkflowSpec } from '../../../crds/workflow.ts';
import { nodeTypes } from '../../../runner/nodes/registry.ts';
import { revisionOf } from '../../../store/revisions.ts';
import { definitionOf, unenforced } from './definition.ts';
import { MAX_SPEC_BYTES, inspect } from './inspect.ts';
import { isInForce, registeredWebhooks, routeOf } from './route.ts';

const base: WorkflowSpec = { nodes: [{ name: 'Start', type: 'manualTrigger' }, { name: 'Keep', type: 'noOp' }], connections: [{ from: 'Start', output: 0, to: 'Keep', input: 0, type: 'main' }] };
const workflow = (changes: Partial<WorkflowSpec> = {}) => ({
  apiVersion: 'millrace.dev/v1alpha1', kind: 'Workflow', metadata: { name: 'orders', namespace: 'shop', uid: 'u1' }, spec: { ...base, ...changes },
});
const revision = (changes: Partial<WorkflowSpec>) => revisionOf(definitionOf(workflow(changes)));

describe('a new revision', () => {
  test.each<Partial<WorkflowSpec>>([
    { active: true }, { folder: 'sales' }, { tags: ['a'] }, { description: 'x' }, { suspend: true }, { revisionHistoryLimit: 3 },
    { settings: { priority: 9, runnerPool: 'big', save: { success: 'None' } } },
  ])('is not made by %j', (changes) => {
    expect(revision(changes)).toBe(revision({}));
  });

  test.each<Partial<WorkflowSpec>>([
    { displayName: 'Orders' }, { compat: 'n8n-v1' }, { settings: { timezone: 'Europe/Berlin' } }, { pinData: { Start: [{ json: { a: 1 } }] } }, { connections: [] },
  ])('is made by %j', (changes) => {
    expect(revision(changes)).not.toBe(revision({}));
  });
});

test('fields that are accepted and not acted on are named', () => {
  expect(unenforced({ nodes: [], settings: { save: { progress: true } } })).toEqual(['settings.save.progress']);
  expect(unenforced({ nodes: [], settings: { isolation: 'pod' } })).toEqual([]);
});

describe('the route', () => {
  const trigger = { kind: 'Webhook', node: 'Hook', method: 'POST', path: 'orders', responseMode: 'onReceived', options: {} } as const;

  test('takes what is not written from the defaults', () => {
    expect(routeOf(workflow(), 'r', [])).toEqual({
      namespace: 'shop', workflow: 'orders', uid: 'u1', active: false, stable: 'r', pool: 'default', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [],
    });
  });

  test('carries the limits, with the policy Queue where none is written', () => {
    const { limits } = routeOf(workflow({ settings: { concurrency: { max: 2, key: 'body.id' }, rateLimit: { count: 5, per: '1m', policy: 'Drop' }, deduplicationWindow: '1h' } }), 'r', []);
    expect(limits).toEqual({ concurrency: { max: 2, key: 'body.id', policy: 'Queue' }, rateLimit: { count: 5, perMs: 60_000, policy: 'Drop' }, idempotencyWindowMs: 3_600_000 });
  });

  test('is in force whatever its epoch, and not after any change', () => {
    const route = routeOf(workflow({ active: true, settings: { timeout: '5m' } }), 'r', [trigger]);
    expect(isInForce({ ...route, weight: 0, epoch: 7 }, route)).toBe(true);
    expect(isInForce({ ...route, weight: 0, epoch: 7, timeoutMs: 1 }, route)).toBe(false);
    expect(isInForce(undefined, route)).toBe(false);
  });

  test('tells where webhooks answer, while it is active', () => {
    expect(registeredWebhooks(routeOf(workflow({ active: true }), 'r', [trigger]))).toEqual([{ node: 'Hook', method: 'POST', path: '/webhook/shop/orders' }]);
    expect(registeredWebhooks(routeOf(workflow(), 'r', [trigger]))).toEqual([]);
  });
});

describe('what is wrong with a workflow', () => {
  const codes = (changes: Partial<WorkflowSpec>) => {
    const object = workflow(changes);
    const { blocking, warnings } = inspect(object, definitionOf(object), nodeTypes);
    return { blocking: blocking.map(({ code }) => code), warnings: warnings.map(({ code }) => code) };
  };
  const unknown = { nodes: [...base.nodes, { name: 'Next', type: 'stt' }] };

  test.each([
    { name: 'nothing', changes: { active: true }, want: { blocking: [], warnings: [] } },
    { name: 'an unknown type in a draft', changes: unknown, want: { blocking: [], warnings: ['UnknownNodeType', 'NodeUnreachable'] } },
    { name: 'an unknown type in an active workflow', changes: { ...unknown, active: true }, want: { blocking: ['UnknownNodeType'], warnings: ['NodeUnreachable'] } },
    {
      name: 'a broken expression in a draft',
      changes: { nodes: [...base.nodes, { name: 'Set', type: 'set', parameters: { a: '={{ $json. }}' } }] },
      want: { blocking: ['ExpressionSyntax'], warnings: ['NodeUnreachable'] },
    },
    { name: 'too much', changes: { description: 'x'.repeat(MAX_SPEC_BYTES) }, want: { blocking: ['WorkflowTooLarge'], warnings: [] } },
  ])('$name', ({ changes, want }) => {
    expect(codes(changes)).toEqual(want);
  });
});
