import { graphOf, partGraphOf } from './graph.ts';
import type { Graph, NodeTypes } from './graph.ts';
import { History } from './history.ts';
import type { EngineHost } from './host.ts';
import type { Item, JsonObject } from './item.ts';
import type { Journal } from './journal.ts';
import type { Ending, ExecutionMode, ExecutionResult, StaticData, Suspension } from './node-run.ts';
import type { WaitedRequest } from './node-type.ts';
import type { Distributed } from './distribute.ts';
import type { PartContent, PartitionBatch } from './partitions.ts';
import { retentionOf } from './retention.ts';
import type { RunTransaction } from './run-transaction.ts';
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
  /** What the call learns from outside, the same in every life of the execution. */
  record<T>(live: () => T): T;
  /** Told what static data the called workflow uses. */
  onStaticData(data: WorkingStaticData): void;
}

/** What a node asks for that has its work distributed. */
export interface Distribution extends Pick<PartitionBatch, 'maxParallel' | 'collect'> {
  /** Id of the workflow that runs once for each part. Absent: the node itself does. */
  workflow?: string;
  /** Asked for once, unless an earlier life has recorded all. */
  parts(): Iterable<PartContent> | AsyncIterable<PartContent>;
  /** Of so many parts. */
  maxFailures(parts: number): number;
}

/** A node's request to have the parts of its work done. */
export interface DistributeRequest extends Distribution, Pick<ChildRequest, 'node' | 'runIndex' | 'record' | 'onStaticData'> {
  /** The id of a part; see `Part`. */
  idOf(position: number): string;
}

/** What an execution and the sub-workflows that run inside it share. */
export interface Tree {
  readonly host: EngineHost;
  readonly nodeTypes: NodeTypes;
  readonly journal: Journal;
  /** The transaction that the root workflow asks for. */
  readonly transaction: RunTransaction | undefined;
  /** Aborted when the execution is to be handed on at the next node boundary, with a WorkflowError HandBack as reason. */
  readonly handBack: AbortSignal | undefined;
  /** Set once a node boundary was reached that handed the execution on: everything unwinds. */
  handedBack: boolean;
  /** What stands behind `/webhook-waiting/` and `/form-waiting/` in the address that ends a wait. */
  readonly resumePath: string;
  /** Runs a sub-workflow for a node of `parent`. */
  readonly runChild: (parent: Execution, request: ChildRequest) => Promise<ExecutionResult | undefined>;
  /** Has the parts of a node's work done. */
  readonly runPartitions: (parent: Execution, request: DistributeRequest) => Promise<Distributed | undefined>;
  /** Items that end the wait this execution comes back from. */
  readonly resumeItems: readonly Item[] | undefined;
  /** Whether the wait this execution comes back from is over. */
  readonly waitIsOver: boolean;
  /** About how many bytes of items each execution's history holds before it drops the oldest. */
  readonly historyBytes: number;
  /** Node runs after which the tree is stopped as endless. */
  readonly maxNodeRuns: number;
  nodeRuns: number;
  /** Set once a node asked to wait: everything unwinds and the root's result says Waiting. */
  suspended: Suspension | undefined;
  /** Whether the webhook has been answered, or the call that ended the last wait. */
  responded: boolean;
  /** How the call that ended the last wait is to be answered. */
  answering: WaitedRequest | undefined;
  /** Working copies of what workflows keep between executions, by id of the workflow. */
  readonly staticData: Map<string, WorkingStaticData>;
  /** Sub-workflows nobody waits for, run inside this execution because the host cannot start them on their own. */
  readonly background: Set<Promise<unknown>>;
  /** Of the last committed run that answered a caller, or from which on one was to be answered. */
  answered: number;
  /** When the event loop last had a turn; milliseconds. */
  lastYield: number;
}

/** What makes an execution the one it is. */
export interface ExecutionIdentity {
  readonly workflow: WorkflowDefinition;
  /** Id of the stored workflow on whose behalf it runs: an inline workflow acts for the one that holds it, whatever it calls itself. */
  readonly owner: string;
  readonly executionId: string;
  /** '' for the root, else the path of calls that leads here. */
  readonly scope: string;
  readonly mode: ExecutionMode;
  /** Whether it descends from an error workflow. */
  readonly underError: boolean;
  /** The node whose work it does a part of: it runs nothing else, but for the body of a loop. */
  readonly only?: string | undefined;
  /** Aborted on cancel and on the deadline, with a WorkflowError as reason. */
  readonly signal: AbortSignal;
  /** Told what static data its nodes use. */
  readonly onStaticData?: (data: WorkingStaticData) => void;
}

/** One workflow being executed: the root of a tree, or a sub-workflow in it. */
export interface Execution extends ExecutionIdentity {
  readonly tree: Tree;
  readonly graph: Graph;
  readonly history: History;
  /** Private state by node. */
  readonly state: Map<string, JsonObject>;
  readonly staticData: WorkingStaticData;
  /** How an earlier life, or somebody else, ended it: it is led back to that place and undone. */
  readonly ending: Ending | undefined;
  /** Set while what it did is being undone. */
  readonly compensating?: true;
  /** The node that is being run. */
  running: string | undefined;
}

/**
 * `stored`: what the store has of the workflow's static data; absent for an inline workflow, whose static data ends with its run. `ending`: how somebody
 * else ended it; what an earlier life decided comes first.
 */
export function createExecution(tree: Tree, about: ExecutionIdentity, { stored, ending }: { stored?: StaticData | undefined; ending?: Ending | undefined } = {}): Execution {
  const { only, workflow } = about;
  const graph = only === undefined ? graphOf(workflow, tree.nodeTypes) : partGraphOf(workflow, only, tree.nodeTypes);
  return {
    tree,
    ...about,
    graph,
    history: new History(retentionOf(graph, only), tree.historyBytes),
    state: new Map(),
    ending: tree.journal.endingOf(about.scope) ?? ending,
    running: undefined,
    staticData: stored ? sharedStaticData(tree, about.workflow.id, stored) : new WorkingStaticData(() => ({ global: {}, nodes: {} })),
  };
}

/** What other workflows of the tree keep after a run that used it, or undefined. */
export function otherStaticData({ tree, staticData }: Execution, usedBy: ReadonlySet<WorkingStaticData>): Record<string, StaticData> | undefined {
  const used = [...tree.staticData].filter(([, data]) => data !== staticData && usedBy.has(data));
  return used.length > 0 ? Object.fromEntries(used.map(([id, data]) => [id, data.snapshot()])) : undefined;
}

/** Takes over what a committed run left of other workflows' static data. */
export function restoreOtherStaticData({ tree }: Execution, left: Readonly<Record<string, StaticData>>, order: number): void {
  // What the store had of it is in the journal since it was first used.
  for (const [id, data] of Object.entries(left)) sharedStaticData(tree, id, { global: {}, nodes: {} }).restore(data, order);
}

/** One copy for all executions of a workflow in the tree: each sees what the ones before it left. */
function sharedStaticData(tree: Tree, workflow: string, stored: StaticData): WorkingStaticData {
  const known = tree.staticData.get(workflow);
  if (known) return known;
  const made = new WorkingStaticData(() => tree.journal.staticData(workflow, stored));
  tree.staticData.set(workflow, made);
  return made;
}

/** A node's private state, made on first use. */
export function stateOf(execution: Execution, node: string): JsonObject {
  const known = execution.state.get(node);
  if (known) return known;
  const state: JsonObject = {};
  execution.state.set(node, state);
  return state;
}
