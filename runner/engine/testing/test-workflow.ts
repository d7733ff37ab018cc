import { COMPENSATION, Compat } from '../workflow.ts';
import type { Connection, WorkflowDefinition, WorkflowNode } from '../workflow.ts';

/** `type`, and whatever a node has more; the name and a place in the order of writing are filled in. */
export type NodeSketch = Omit<Partial<WorkflowNode>, 'name'> & { type: string };

/**
 * A definition from a sketch: nodes by name, wires as `A > B`, with output and input as `A.1 > B.1`. Nodes stand in the order
 * they are written, from top to bottom, unless they say where. `A ~> B`: B undoes A.
 */
export function workflowOf(nodes: Record<string, NodeSketch>, wires: string[], more: Partial<WorkflowDefinition> = {}): WorkflowDefinition {
  return {
    id: 'test', name: 'Test', compat: Compat.Millrace,
    nodes: Object.entries(nodes).map(([name, sketch], index) => ({ position: [0, index * 100], ...sketch, name })),
    connections: wires.map(connectionOf),
    ...more,
  };
}

function connectionOf(wire: string): Connection {
  const [from = '', to = ''] = wire.split(/~?>/).map((end) => end.trim());
  const [fromName = '', output = '0'] = from.split('.');
  const [toName = '', input = '0'] = to.split('.');
  return { from: fromName, output: Number(output), to: toName, input: Number(input), type: wire.includes('~>') ? COMPENSATION : 'main' };
}
