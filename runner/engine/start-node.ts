import { WorkflowError } from './error.ts';
import type { NodeTypes } from './graph.ts';
import type { WorkflowDefinition } from './workflow.ts';

const MANUAL = 'manualTrigger';

/**
 * The node an execution starts at: the one that was named, or else the manual trigger, or else the only trigger.
 * Throws StartNodeMissing.
 */
export function startNode(workflow: WorkflowDefinition, nodeTypes: NodeTypes, named?: string): string {
  if (named !== undefined) {
    if (workflow.nodes.some(({ name }) => name === named)) return named;
    throw new WorkflowError('StartNodeMissing', `There is no node '${named}' to start from.`);
  }
  const triggers = workflow.nodes.filter((node) => node.disabled !== true && nodeTypes.get(node.type)?.group === 'trigger');
  const chosen = triggers.find(({ type }) => type === MANUAL) ?? triggers[0];
  if (chosen === undefined) throw new WorkflowError('StartNodeMissing', `Workflow '${workflow.name}' has no trigger to start from. Add one, or name a start node.`);
  if (chosen.type !== MANUAL && triggers.length > 1) {
    const names = triggers.map(({ name }) => `'${name}'`).join(', ');
    throw new WorkflowError('StartNodeMissing', `Workflow '${workflow.name}' has several triggers: name the one to start from (${names}).`);
  }
  return chosen.name;
}
