import { WorkflowError } from './error.ts';
import type { Execution } from './execution.ts';
import { connectedInputs } from './graph.ts';
import type { Feed, GraphNode } from './graph.ts';
import type { Item } from './item.ts';
import { loopBody } from './loop-body.ts';
import type { NodeRun, Source } from './node-run.ts';
import type { Plan, Start } from './run-execution.ts';
import { pinnedItems } from './workflow.ts';

/** Which part of a workflow to run. */
export interface PartialRun {
  /** Start at this node, with what earlier runs or pinned data give its inputs. Default: the start node. */
  from?: string;
  /** Run only what this node needs, and stop after it. Default: to the end. */
  to?: string;
  /** Run only this node, with its body where it is a loop, with the items that start the execution as its input, as a part of its work; see `distribute`. */
  only?: string;
}

/** Earlier runs by node. */
export type RunData = ReadonlyMap<string, readonly NodeRun[]>;

/**
 * The first run and the nodes of a partial execution. Earlier runs of nodes that will not run again become part of the
 * execution's history, so that expressions can refer to them. Throws PartialDataMissing or StartNodeMissing.
 */
export function planPartial(execution: Execution, start: Start, partial: PartialRun, runData: RunData): Plan {
  const { graph } = execution;
  if (partial.only !== undefined) return planOnly(execution, partial.only, start.items);
  const from = nodeNamed(execution, partial.from ?? start.node);
  const wanted = partial.to === undefined ? undefined : new Set([...graph.ancestors(nodeNamed(execution, partial.to).name), partial.to]);
  const again = new Set([...graph.descendants(from.name), from.name]);
  for (const [name, runs] of runData) {
    if (!again.has(name) && graph.nodes.has(name)) for (const run of runs) execution.history.add(run);
  }
  return {
    first: partial.from === undefined || partial.from === start.node ? { node: from, inputs: [start.items], source: [] } : taskFrom(execution, from, runData),
    ...(partial.to === undefined ? {} : { destination: partial.to }),
    includes: (node) => wanted === undefined || wanted.has(node.name),
  };
}

/** A node that does a part of its work, these items at its first input. Throws StartNodeMissing. */
export function planOnly(execution: Execution, name: string, items: readonly Item[]): Plan {
  const node = nodeNamed(execution, name);
  const first = { node, inputs: [items], source: [] };
  if (node.type?.distributable?.(node.node) !== 'Loop') return { first, destination: name, includes: (each) => each === node };
  const body = loopBody(node);
  return { first, includes: (each) => each === node || body.has(each) };
}

function nodeNamed(execution: Execution, name: string): GraphNode {
  const node = execution.graph.nodes.get(name);
  if (!node) throw new WorkflowError('StartNodeMissing', `There is no node '${name}' in the workflow.`, { node: name });
  return node;
}

function taskFrom(execution: Execution, node: GraphNode, runData: RunData): Plan['first'] {
  const inputs: (readonly Item[] | null)[] = node.feeds.map(() => null);
  const source: (Source | null)[] = node.feeds.map(() => null);
  for (const index of connectedInputs(node)) {
    const found = (node.feeds[index] ?? []).map((feed) => itemsOf(execution, feed, runData)).find((each) => each !== undefined);
    if (!found) continue;
    inputs[index] = found.items;
    source[index] = found.source;
  }
  if (inputs.every((items) => items === null)) {
    throw new WorkflowError('PartialDataMissing', `Nothing that leads to '${node.name}' has data. Run the workflow up to it first, or pin data on a node before it.`, { node: node.name });
  }
  return { node, inputs, source };
}

function itemsOf(execution: Execution, { node, output }: Feed, runData: RunData): { items: readonly Item[]; source: Source } | undefined {
  const pinned = output === 0 ? pinnedItems(execution.workflow, node.name) : undefined;
  if (pinned) return { items: pinned, source: { node: node.name, output, run: 0 } };
  const run = runData.get(node.name)?.findLast(({ outputs }) => (outputs[output]?.length ?? 0) > 0);
  const items = run?.outputs[output];
  return run && items ? { items, source: { node: node.name, output, run: run.runIndex } } : undefined;
}
