import type { NodeTypes } from './graph.ts';
import type { DistributePolicy, DistributeSource } from './partitions.ts';
import { parameterReferences } from './references.ts';
import type { WorkflowNode } from './workflow.ts';

/** What is wrong with `distribute` of a node. */
export function distributionProblems(node: WorkflowNode, nodeTypes: NodeTypes): string[] {
  const { name, distribute } = node;
  if (!distribute) return [];
  const type = nodeTypes.get(node.type);
  const unit = type?.distributable?.(node);
  if (!type || unit === undefined) {
    const others = [...nodeTypes.values()].filter(({ type: each, distributable }) => distributable && each !== 'executeWorkflow').map(({ type: each }) => each);
    return [`'${name}' cannot be distributed: only nodes of type executeWorkflow that call a workflow by its name can${others.length > 0 ? `, and ${others.join(', ')}` : ''}. Have a workflow of its own do this, and call that; or remove \`distribute\`.`];
  }
  return [...policyProblems(distribute), ...(unit === 'Node' ? aloneProblems(node, nodeTypes) : callProblems(node))].map((problem) => `'${name}' ${problem}`);
}

function policyProblems({ count, bytes, key, from, maxFailures, maxFailedPercent }: DistributePolicy): string[] {
  return [
    ...([count, bytes, key].filter((each) => each !== undefined).length === 1 ? [] : ['needs exactly one of count, bytes and key in `distribute`.']),
    ...(from && count === undefined ? ['needs `distribute.count` with `distribute.from`: the items are not there to be measured.'] : []),
    ...(from ? sourceProblems(from) : []),
    ...(maxFailures !== undefined && maxFailedPercent !== undefined ? ['has both maxFailures and maxFailedPercent in `distribute`; remove one.'] : []),
  ];
}

function sourceProblems({ range, file, format, delimiter }: DistributeSource): string[] {
  return [
    ...((range === undefined) === (file === undefined) ? ['needs exactly one of range and file in `distribute.from`.'] : []),
    ...((file === undefined) === (format === undefined) ? [] : ['needs `distribute.from.format` with file, and with nothing else.']),
    ...(delimiter === undefined || format === 'csv' ? [] : ['has a delimiter in `distribute.from`, which only csv has; remove it.']),
  ];
}

/** What runs alone sees nothing but its parameters and the items of its part. */
function aloneProblems(node: WorkflowNode, nodeTypes: NodeTypes): string[] {
  const { names, staticData } = parameterReferences({ node, type: nodeTypes.get(node.type) });
  const named = names && [...names].map((each) => `'${each}'`).join(', ');
  return [
    ...(named === '' ? [] : [`refers to ${named ?? 'other nodes by names that are computed'}, which its parts cannot see. Put what it needs into its items, with a Set node before it.`]),
    ...(staticData ? ['uses static data, which parts on several runners would overwrite for one another. Remove `distribute`, or keep the data elsewhere.'] : []),
    ...(node.executeOnce ? ['has executeOnce, which leaves nothing to distribute. Remove one of the two.'] : []),
  ];
}

function callProblems({ distribute, parameters = {} }: WorkflowNode): string[] {
  const inputs = parameters['workflowInputs'];
  const value = typeof inputs === 'object' && inputs !== null && 'value' in inputs ? inputs.value : undefined;
  const maps = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  return distribute?.from && maps ? ['maps fields in workflowInputs, but with `distribute.from` the items are not there to be mapped: the called workflow gets them as they are. Remove the fields.'] : [];
}
