import type { EngineHost } from './host.ts';
import { graphOf } from './graph.ts';
import type { Graph, NodeTypes } from './graph.ts';
import { History } from './history.ts';
import type { Item, JsonObject } from './item.ts';
import type { Journal } from './journal.ts';
import type { ExecutionMode, ExecutionResult } from './node-run.ts';
import { retentionOf } from './retention.ts';
import { WorkingStaticData } from './static-data.ts';
import type { WorkflowDefinition } from './workflow.ts';

/** A node's request to run another workflow. */
export interface ChildRequest {
  workflow: string | WorkflowDefinition;
  items: readonly Item[];
  wait: boolean;
  /** The calling node and its run; `number` counts its calls. */
  node: string;
  runIndex: number;
  number: number;
}

/** What an execution and the sub-workflows that run inside it share. */
export interface Tree {
  readonly host: EngineHost;
  readonly nodeTypes: NodeTypes;
  readonly journal: Journal;
  /** Aborted on cancel and on the deadline, with a WorkflowError as reason. */
  readonly signal: AbortSignal;
  /** Runs a sub-workflow for a node of `parent`. */
  readonly runChild: (parent: Execution, request: ChildRequest) => Promise<ExecutionResult | undefined>;
  /** Items that end the wait this execution comes back from. */
  readonly resumeItems: readonly Item[] | undefined;
  /** About how many bytes of items each execution's history holds before it drops the oldest. */
  readonly historyBytes: number;
  /** Node runs after which the tree is stopped as endless. */
  readonly maxNodeRuns: number;
  nodeRuns: number;
  /** Set once a node asked to wait: everything unwinds and the root's result says Waiting. */
  suspended: ExecutionResult['wait'] | undefined;
  /** Whether the webhook has been answered. */
  responded: boolean;
  /** Sub-workflows nobody waits for, run inside this execution because the host cannot start them on their own. */
  readonly background: Set<Promise<unknown>>;
  /** When the event loop last had a turn; milliseconds. */
  lastYield: number;
}

/** One workflow being executed: the root of a tree, or a sub-workflow in it. */
export interface Execution {
  readonly tree: Tree;
  readonly graph: Graph;
  readonly workflow: WorkflowDefinition;
  readonly executionId: string;
  /** '' for the root, else the path of calls that leads here. */
  readonly scope: string;
  readonly mode: ExecutionMode;
  readonly history: History;
  /** Private state by node. */
  readonly state: Map<string, JsonObject>;
  readonly staticData: WorkingStaticData;
  /** The node that is being run. */
  running: string | undefined;
}

export function createExecution(tree: Tree, about: { workflow: WorkflowDefinition; executionId: string; scope: string; mode: ExecutionMode }): Execution {
  const graph = graphOf(about.workflow, tree.nodeTypes);
  return {
    tree,
    ...about,
    graph,
    history: new History(retentionOf(graph), tree.historyBytes),
    state: new Map(),
    running: undefined,
    // The host keeps static data for the root only; a sub-workflow that runs inside it starts with none.
    staticData: new WorkingStaticData(() => (about.scope === '' ? tree.journal.staticData() : { global: {}, nodes: {} })),
  };
}

/** A node's private state, made on first use. */
export function stateOf(execution: Execution, node: string): JsonObject {
  const known = execution.state.get(node);
  if (known) return known;
  const state: JsonObject = {};
  execution.state.set(node, state);
  return state;
}
