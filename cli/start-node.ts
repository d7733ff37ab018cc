import type { NodeTypes } from '../runner/engine/graph.ts';
import type { WorkflowDefinition } from '../runner/engine/workflow.ts';
import { CliError } from './cli-error.ts';

/** The node a run by hand begins at: the one that is named, else the manual trigger, else the only trigger. */
export function startNode(definition: WorkflowDefinition, nodeTypes: NodeTypes, named?: string): string {
  const enabled = definition.nodes.filter((node) => node.disabled !== true);
  if (named !== undefined) {
    if (enabled.some((node) => node.name === named)) return named;
    throw CliError.of('UsageError', `There is no enabled node ${JSON.stringify(named)} to start at.`);
  }
  const triggers = enabled.filter((node) => nodeTypes.get(node.type)?.group === 'trigger');
  const manual = triggers.find((node) => node.type === 'manualTrigger');
  const [only, ...others] = triggers;
  if (manual) return manual.name;
  if (!only) throw CliError.of('UsageError', 'The workflow has no trigger node; name the node to start at with --start.');
  if (others.length > 0) throw CliError.of('UsageError', `The workflow has several triggers; choose one with --start: ${triggers.map((node) => node.name).join(', ')}.`);
  return only.name;
}
