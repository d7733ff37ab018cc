import { COMPENSATION, Compat, OnError } from './workflow.ts';
import type { WorkflowDefinition, WorkflowNode } from './workflow.ts';
import type { Effect, NodeType } from './node-type.ts';
import type { ParameterReader } from './parameter-reader.ts';

export type NodeTypes = ReadonlyMap<string, NodeType>;

/** A wire's far end, seen from the output it leaves. */
export interface Target {
  node: GraphNode;
  input: number;
}

/** A wire's near end, seen from the input it reaches. */
export interface Feed {
  node: GraphNode;
  output: number;
}

/** A wire of type `compensation`: where the branch begins that undoes what a run of the node did. */
export interface Compensation extends Target {
  /** The output whose items the branch gets. */
  output: number;
}

/** A node with its wires resolved. Built once per definition and never changed afterwards. */
export interface GraphNode {
  readonly node: WorkflowNode;
  readonly name: string;
  /** Undefined for a type nobody registered; the node fails when it is reached. */
  readonly type: NodeType | undefined;
  readonly effect: Effect;
  /** Names of the regular outputs; their number is the index of the error output. */
  readonly outputs: readonly string[];
  /** By output index, in the order the definition lists the wires. */
  readonly targets: Target[][];
  /** By input index; a hole where nothing is wired. */
  readonly feeds: Feed[][];
  /** In the order the definition lists them. */
  readonly compensations: Compensation[];
  readonly y: number;
  readonly x: number;
  /** Compiled parameters by path, filled as they are read. */
  readonly parameters: Map<string, ParameterReader>;
}

/** One definition, ready to run. */
export interface Graph {
  readonly definition: WorkflowDefinition;
  readonly compat: Compat;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  /** All nodes from which `name` can be reached, itself excluded. */
  ancestors(name: string): ReadonlySet<string>;
  /** All nodes that can be reached from `name`, itself excluded, those that compensate among them. */
  descendants(name: string): ReadonlySet<string>;
}

const compiled = new WeakMap<WorkflowDefinition, { nodeTypes: NodeTypes; graph: Graph }>();

/** The graph of a definition, compiled on first use. Wires from or to nodes that do not exist are left out. */
export function graphOf(definition: WorkflowDefinition, nodeTypes: NodeTypes): Graph {
  const known = compiled.get(definition);
  if (known?.nodeTypes === nodeTypes) return known.graph;
  const graph = compile(definition, nodeTypes);
  compiled.set(definition, { nodeTypes, graph });
  return graph;
}

const undistributed = new WeakMap<WorkflowDefinition, Map<string, WorkflowDefinition>>();

/** The graph by which a node does a part of its work: there it is not distributed once more. */
export function partGraphOf(definition: WorkflowDefinition, name: string, nodeTypes: NodeTypes): Graph {
  const known = undistributed.get(definition) ?? new Map<string, WorkflowDefinition>();
  undistributed.set(definition, known);
  const part = known.get(name) ?? { ...definition, nodes: definition.nodes.map(({ distribute, ...node }) => (distribute && node.name !== name ? { ...node, distribute } : node)) };
  known.set(name, part);
  return graphOf(part, nodeTypes);
}

/** Input indexes at least one wire leads to. */
export function connectedInputs(node: GraphNode): number[] {
  return node.feeds.flatMap((feeds, index) => (feeds.length > 0 ? [index] : []));
}

/** Whether results of a node may be taken from earlier runs: such a node counts as effectful, because what it gives is not its own work alone. */
export function isCached({ node, type }: Pick<GraphNode, 'node' | 'type'>): boolean {
  return node.cache !== undefined && type?.cacheable?.(node) === true;
}

/** Whether a node does something outside the execution, or gives what is not its own work alone. */
export function effectOf(node: WorkflowNode, type: NodeType): Effect {
  if (node.distribute || isCached({ node, type })) return 'effectful';
  return typeof type.effect === 'function' ? type.effect(node) : type.effect;
}

/** The index of the output that failed items go to, or undefined when the node has none. */
export function errorOutputOf(node: GraphNode): number | undefined {
  return node.node.onError === OnError.ErrorOutput ? node.outputs.length : undefined;
}

/** Whether anything in a workflow can be undone. */
export function hasCompensations({ nodes }: Graph): boolean {
  return nodes.values().some(({ compensations }) => compensations.length > 0);
}

function compile(definition: WorkflowDefinition, nodeTypes: NodeTypes): Graph {
  const nodes = new Map<string, GraphNode>();
  for (const node of definition.nodes) if (!nodes.has(node.name)) nodes.set(node.name, graphNode(node, nodeTypes));
  for (const { from, output, to, input, type } of definition.connections) {
    const source = nodes.get(from);
    const target = nodes.get(to);
    if (!source || !target) continue;
    if (type === COMPENSATION) source.compensations.push({ node: target, input, output });
    if (type !== 'main') continue;
    slot(source.targets, output).push({ node: target, input });
    slot(target.feeds, input).push({ node: source, output });
  }
  const up = new Map<string, ReadonlySet<string>>();
  const down = new Map<string, ReadonlySet<string>>();
  return {
    definition,
    compat: definition.compat ?? Compat.Millrace,
    nodes,
    ancestors: (name) => reachable(name, up, (each) => nodes.get(each)?.feeds),
    descendants: (name) => reachable(name, down, (each) => wiresFrom(nodes.get(each))),
  };
}

function graphNode(node: WorkflowNode, nodeTypes: NodeTypes): GraphNode {
  const type = nodeTypes.get(node.type);
  const outputs = typeof type?.outputs === 'function' ? type.outputs(node) : type?.outputs;
  return {
    node, name: node.name, type,
    effect: type ? effectOf(node, type) : 'pure',
    outputs: outputs ?? ['main'],
    targets: [], feeds: [], compensations: [],
    x: node.position?.[0] ?? 0, y: node.position?.[1] ?? 0,
    parameters: new Map(),
  };
}

/** The list at an index, with empty lists in every gap before it. */
function slot<T>(lists: T[][], index: number): T[] {
  while (lists.length <= index) lists.push([]);
  return lists[index] ?? [];
}

function wiresFrom(node: GraphNode | undefined): Wires {
  return node && (node.compensations.length === 0 ? node.targets : [...node.targets, node.compensations]);
}

type Wires = readonly (readonly { node: GraphNode }[])[] | undefined;

function reachable(from: string, cache: Map<string, ReadonlySet<string>>, wiresOf: (name: string) => Wires): ReadonlySet<string> {
  const cached = cache.get(from);
  if (cached) return cached;
  const seen = new Set<string>();
  const open = [from];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const { node } of (wiresOf(name) ?? []).flat()) {
      if (seen.has(node.name)) continue;
      seen.add(node.name);
      open.push(node.name);
    }
  }
  seen.delete(from);
  cache.set(from, seen);
  return seen;
}
