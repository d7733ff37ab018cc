import type { Item, JsonObject } from './item.ts';
import type { ExecutionMode, NodeRun, Source } from './node-run.ts';
import type { WorkflowDefinition, WorkflowNode } from './workflow.ts';

/** What expressions and code of one node run can see of their execution. The engine provides it; it is read-only. */
export interface ExecutionView {
  readonly workflow: WorkflowDefinition;
  readonly executionId: string;
  readonly mode: ExecutionMode;
  /** The node whose parameters are being resolved. */
  readonly node: WorkflowNode;
  readonly runIndex: number;
  /** The items at an input of this run. */
  input(index: number): readonly Item[];
  /** Per input index, where its items came from. */
  readonly source: readonly (Source | null)[];
  /** All finished runs of a node so far, by run index; undefined for a node that is not in the workflow. */
  runsOf(node: string): readonly NodeRun[] | undefined;
  /** A node's private state (`$('Loop').context`). */
  stateOf(node: string): Readonly<JsonObject>;
  /** A node of the workflow by name. */
  nodeNamed(name: string): WorkflowNode | undefined;
  /** Milliseconds; recorded, so that a replay sees the same. */
  now(): number;
  random(): number;
  readonly variables: Readonly<Record<string, string>>;
  staticData(scope: 'global' | 'node'): JsonObject;
  readonly baseUrl: string;
  /** What the address that ends a wait has behind `/webhook-waiting/` and `/form-waiting/`: the queued execution and its token. */
  readonly resumePath: string;
}
