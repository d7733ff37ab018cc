import { graphOf } from './graph.ts';
import type { GraphNode, NodeTypes } from './graph.ts';
import { loopBody, wiresInto } from './loop-body.ts';
import type { DistributePolicy, DistributeSource } from './partitions.ts';
import { parameterReferences, referencesOf } from './references.ts';
import type { References } from './references.ts';
import type { WorkflowDefinition, WorkflowNode } from './workflow.ts';

/** What is wrong with `distribute` of a node of a workflow. */
export function distributionProblems(node: WorkflowNode, workflow: WorkflowDefinition, nodeTypes: NodeTypes): string[] {
  const { name, distribute } = node;
  if (!distribute) return [];
  const type = nodeTypes.get(node.type);
  const unit = type?.distributable?.(node);
  if (!type || unit === undefined) {
    const others = [...nodeTypes.values()].filter(({ type: each, distributable }) => distributable && each !== 'executeWorkflow').map(({ type: each }) => each);
    return [`'${name}' cannot be distributed: only nodes of type executeWorkflow that call a workflow by its name can${others.length > 0 ? `, and ${others.join(', ')}` : ''}. Have a workflow of its own do this, and call that; or remove \`distribute\`.`];
  }
  const problemsOf = {
    Workflow: () => callProblems(node),
    Node: () => aloneProblems(node, nodeTypes),
    Loop: () => loopProblems(node, graphOf(workflow, nodeTypes).nodes),
  };
  return [...policyProblems(distribute), ...problemsOf[unit]()].map((problem) => `'${name}' ${problem}`);
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
  return [...sightProblems(parameterReferences({ node, type: nodeTypes.get(node.type) }), new Set()), ...onceProblems(node)];
}

/** A loop runs in each part with its body, which therefore must stand by itself. */
function loopProblems({ name }: WorkflowNode, nodes: ReadonlyMap<string, GraphNode>): string[] {
  const loop = nodes.get(name);
  if (!loop) return [];
  if (loop.outputs[0] !== 'done') return ['needs typeVersion 3 to be distributed: before that, its first output is not the one that gives what came back.'];
  const body = loopBody(loop);
  const seen = new Set([name, ...[...body].map((node) => node.name)]);
  return [
    ...(loop.feeds.flat().some(({ node }) => body.has(node)) ? [] : ['has no loop to distribute: connect its output "loop" to nodes that lead back to it.']),
    ...wiresInto(loop, body).map(({ from, to }) => `has '${to.name}' in its loop, which also gets items from '${from.name}' outside of it. Give each a node of its own.`),
    ...sightProblems(parameterReferences(loop), seen), ...onceProblems(loop.node),
    ...[...body].filter(({ node }) => !node.disabled).flatMap((node) => bodyProblems(node, seen).map((problem) => `has '${node.name}' in its loop, which ${problem}`)),
    ...[...nodes.values()].filter((node) => !seen.has(node.name)).flatMap((node) => peeks(node, body).map((peeked) => `has '${peeked}' in its loop, which '${node.name}' refers to: nobody sees what happens in parts. Put what is needed into the items that come back.`)),
  ];
}

function bodyProblems(node: GraphNode, seen: ReadonlySet<string>): string[] {
  const { type, compensations } = node;
  const shared = type?.shares?.(node.node) ?? [];
  const references = referencesOf(node);
  return [
    ...sightProblems({ ...references, staticData: references.staticData || shared.includes('staticData') }, seen),
    ...(shared.includes('response') ? ['answers the caller, whom parts do not have. Answer before the loop or after it.'] : []),
    ...(compensations.length > 0 ? ['has a branch that undoes it, and parts undo nothing. Have a workflow of its own do this, and call that.'] : []),
  ];
}

function sightProblems({ names, staticData }: References, seen: ReadonlySet<string>): string[] {
  const named = names && [...names].filter((each) => !seen.has(each)).map((each) => `'${each}'`).join(', ');
  return [
    ...(named === '' ? [] : [`refers to ${named ?? 'other nodes by names that are computed'}, which parts cannot see. Put what it needs into the items that are distributed, with a Set node.`]),
    ...(staticData ? ['uses static data, which parts on several runners would overwrite for one another. Remove `distribute`, or keep the data elsewhere.'] : []),
  ];
}

function onceProblems({ executeOnce }: WorkflowNode): string[] {
  return executeOnce ? ['has executeOnce, which leaves nothing to distribute. Remove one of the two.'] : [];
}

function peeks(node: GraphNode, body: ReadonlySet<GraphNode>): string[] {
  const { names } = referencesOf(node);
  return [...body].filter(({ name }) => names?.has(name)).map(({ name }) => name);
}

function callProblems({ distribute, parameters = {} }: WorkflowNode): string[] {
  const inputs = parameters['workflowInputs'];
  const value = typeof inputs === 'object' && inputs !== null && 'value' in inputs ? inputs.value : undefined;
  const maps = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  return distribute?.from && maps ? ['maps fields in workflowInputs, but with `distribute.from` the items are not there to be mapped: the called workflow gets them as they are. Remove the fields.'] : [];
}
