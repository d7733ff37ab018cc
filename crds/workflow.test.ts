import { expect, test } from '@jest/globals';
import type { WorkflowDefinition } from '../runner/engine/workflow.ts';
import type { WorkflowSpec } from './workflow.ts';

/** The engine's view of a spec; compiles only while the schema and the engine agree. */
function asDefinition(spec: WorkflowSpec): WorkflowDefinition {
  return { id: 'shop/order-intake', name: 'order-intake', ...spec, connections: spec.connections ?? [] };
}

test('a spec is what the engine takes', () => {
  const spec: WorkflowSpec = { nodes: [{ name: 'Start', type: 'manualTrigger', position: [0, 0], retry: { maxTries: 2, backoff: 'Fixed' } }], settings: { callerPolicy: 'any' } };
  expect(asDefinition(spec)).toMatchObject({ nodes: spec.nodes, connections: [] });
});
