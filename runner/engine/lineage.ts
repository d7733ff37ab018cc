import { WorkflowError } from './error.ts';
import type { ExecutionView } from './execution-view.ts';
import type { Item } from './item.ts';
import type { NodeRun, Source } from './node-run.ts';
import type { Connection, WorkflowDefinition } from './workflow.ts';

interface Place extends Source {
  item: number;
}

/** Which wire a node was reached by on the shortest way up from another node. */
type WaysUp = ReadonlyMap<string, Connection>;

const waysOf = new WeakMap<WorkflowDefinition, Map<string, WaysUp>>();

/**
 * The item of `target` that item `itemIndex` of this run's first input was made from: `$('Target').item`. It is found by
 * walking from run to run over the recorded sources and pairs. Undefined when the item has no such ancestor although the
 * node has; throws WorkflowError NodeNotFound, NodeNotExecuted, PairedItemUnreachable, PairedItemMissing, PairedItemAmbiguous.
 */
export function linkedItem(view: ExecutionView, target: string, itemIndex: number): Item | undefined {
  finishedRuns(view, target);
  if (!waysUp(view.workflow, view.node.name).has(target)) {
    throw new WorkflowError('PairedItemUnreachable', `There is no path from node '${target}' to node '${view.node.name}', so their items cannot be linked. Use .first(), .last() or .all().`);
  }
  const [source] = view.source;
  if (!source) return undefined;
  const { found, unlinked } = walkUp(view, target, { ...source, item: itemIndex });
  if (found.size > 1) {
    throw new WorkflowError('PairedItemAmbiguous', `Item ${itemIndex} was made from several items of node '${target}'. Use .first(), .last() or .all().`);
  }
  const [only] = found.values();
  if (!only && unlinked !== undefined) {
    throw new WorkflowError('PairedItemMissing', `Node '${unlinked}' does not say which items its output was made from, so the item of node '${target}' is unknown. Let it set pairedItem, or use .first(), .last() or .all().`);
  }
  return only && outputItems(view, only)?.[only.item];
}

/** The finished runs of a node. Throws WorkflowError NodeNotFound or NodeNotExecuted. */
export function finishedRuns(view: ExecutionView, node: string): readonly NodeRun[] {
  const runs = requireNode(view, node);
  if (runs.length === 0) throw new WorkflowError('NodeNotExecuted', `Node '${node}' has not been executed. Guard the expression with $('${node}').isExecuted.`);
  return runs;
}

/** The runs of a node of the workflow, perhaps none. Throws WorkflowError NodeNotFound. */
export function requireNode(view: ExecutionView, node: string): readonly NodeRun[] {
  const runs = view.runsOf(node);
  if (!runs) throw new WorkflowError('NodeNotFound', `There is no node '${node}' in this workflow. Check the name in the expression.`);
  return runs;
}

/** The output of `from` through which items come to `to`; 0 when there is no way. */
export function connectingOutput(workflow: WorkflowDefinition, from: string, to: string): number {
  return waysUp(workflow, to).get(from)?.output ?? 0;
}

/** The items of an output of a run; undefined when there are none. Throws WorkflowError NodeDataDropped. */
export function itemsOf(run: NodeRun, output: number): readonly Item[] | undefined {
  if (run.droppedItems) {
    throw new WorkflowError('NodeDataDropped', `The items of node '${run.node}' were dropped to save memory, because no expression seemed to read them. Name the node literally: $('${run.node}').`);
  }
  return run.outputs[output] ?? undefined;
}

function walkUp(view: ExecutionView, target: string, start: Place): { found: Map<string, Place>; unlinked: string | undefined } {
  const found = new Map<string, Place>();
  const seen = new Set<string>();
  const open = [start];
  let unlinked: string | undefined;
  for (let place = open.pop(); place; place = open.pop()) {
    const key = `${place.run}/${place.output}/${place.item}/${place.node}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (place.node === target) {
      found.set(key, place);
      continue;
    }
    const parents = parentsOf(view, place);
    if (!parents) unlinked ??= place.node;
    else open.push(...parents);
  }
  return { found, unlinked };
}

/** Where an item came from; empty at a trigger, undefined when the node did not say. */
function parentsOf(view: ExecutionView, place: Place): Place[] | undefined {
  const run = view.runsOf(place.node)?.[place.run];
  // A run whose items were dropped still says what they were made from.
  const item = run?.outputs[place.output]?.[place.item] ?? outputItems(view, place)?.[place.item];
  if (!run || !item || run.source.every((source) => source === null)) return [];
  if (item.pairedItem === undefined) return undefined;
  return [item.pairedItem].flat().flatMap((pair) => {
    const source = pair.source ?? run.source[pair.input ?? 0];
    return source ? [{ ...source, item: pair.item }] : [];
  });
}

function outputItems(view: ExecutionView, place: Source): readonly Item[] | undefined {
  const run = view.runsOf(place.node)?.[place.run];
  return run && itemsOf(run, place.output);
}

/** For every node above `to`: the wire that leads from it towards `to`. Kept per workflow. */
function waysUp(workflow: WorkflowDefinition, to: string): WaysUp {
  const known = waysOf.get(workflow) ?? new Map<string, WaysUp>();
  waysOf.set(workflow, known);
  const ways = known.get(to) ?? searchUp(workflow.connections, to);
  known.set(to, ways);
  return ways;
}

function searchUp(connections: readonly Connection[], to: string): WaysUp {
  const into = Map.groupBy(connections, (connection) => connection.to);
  const ways = new Map<string, Connection>();
  const open = [to];
  // The list grows while it is read: breadth first, so the first wire found is on the shortest way.
  for (const node of open) {
    for (const connection of into.get(node)?.toSorted((a, b) => a.input - b.input) ?? []) {
      if (ways.has(connection.from)) continue;
      ways.set(connection.from, connection);
      open.push(connection.from);
    }
  }
  return ways;
}
