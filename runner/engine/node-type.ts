import type { SharedResource } from './branch-reach.ts';
import type { ContainerRequest, ContainerResult } from './container.ts';
import type { DatabaseConnection } from './database.ts';
import type { BinaryStore } from './host.ts';
import type { BinaryReference, Item, JsonObject } from './item.ts';
import type { ExecutionMode, ExecutionResult, Source, WebhookResponse } from './node-run.ts';
import type { Distributed } from './distribute.ts';
import type { Distribution } from './execution.ts';
import type { DistributePolicy } from './partitions.ts';
import type { Compat, WorkflowDefinition, WorkflowNode } from './workflow.ts';
import type { PdfContent, PdfOptions } from '../pdf/pdf-content.ts';

/** A pure node may be recomputed after a crash; an effectful node's result is committed before the next effect. */
export type Effect = 'pure' | 'effectful';

/** One parameter, as forms, docs and validation see it. */
export interface ParameterDescription {
  name: string;
  type: 'string' | 'number' | 'boolean' | 'json' | 'options' | 'collection' | 'code' | 'conditions' | 'assignments' | 'dateTime';
  description: string;
  default?: unknown;
  required?: boolean;
  /** For `options`: the allowed values. */
  options?: readonly string[];
  /** Not an expression even when it starts with `=` (source code). */
  literal?: boolean;
}

export interface NodeDescription {
  /** Short name used in specs: `set`. */
  type: string;
  displayName: string;
  description: string;
  group: 'trigger' | 'flow' | 'data' | 'action';
  /** n8n typeVersions whose behaviour is implemented, ascending; the last one is the default. */
  versions: readonly number[];
  effect: Effect | ((node: WorkflowNode) => Effect);
  /** Number of main inputs; 0 for triggers. */
  inputs: number | ((node: WorkflowNode) => number);
  /** Names of the main outputs (the error output is added by the engine). */
  outputs: readonly string[] | ((node: WorkflowNode) => readonly string[]);
  /** Inputs that must have items for the node to run at all when the stack drains; default: at least one. */
  requiredInputs?: (node: WorkflowNode) => readonly number[];
  parameters: readonly ParameterDescription[];
  /** The node follows its own retry policy; the engine does not. */
  retriesItself?: true;
  /** Whether what it puts out depends on its input, parameters and credentials alone, so that `cache` may be set. Absent: no. */
  cacheable?: (node: WorkflowNode) => boolean;
  /** What the node uses that all nodes of an execution share: those that use the same keep their order when branches run at the same time. */
  shares?: (node: WorkflowNode) => readonly SharedResource[];
  /** Type of the credential that the node cannot do without, as its parameters say. */
  credentialType?: (node: WorkflowNode) => string | undefined;
  /** What a part of its work runs, when `distribute` may be set: the workflow that it calls, the node itself, or the node with the nodes between its output "loop" and itself. Absent: it may not. */
  distributable?: (node: WorkflowNode) => Unit | undefined;
  /** What is wrong with the parameters as written. An execution that could reach such a node is refused before it starts. */
  problems?: (node: WorkflowNode) => readonly { parameter: string; message: string }[];
}

/** What runs for each part of a node's work. */
export type Unit = 'Workflow' | 'Node' | 'Loop';

export type WaitCause = 'webhook' | 'form' | 'pods' | 'partitions';

/** Whether a node that waits for this is executed again once it is over. */
export function isAskedAgain(on: WaitCause | undefined): boolean {
  return on === 'pods' || on === 'partitions';
}

/** Asks the engine to persist the execution and go on later; the node then passes its input (or the resume data) on. */
export interface WaitRequest {
  /** Milliseconds since the epoch; absent: no limit. */
  until?: number;
  /** What else ends it. A node that waits for pods or for parts of its items is executed again once they are over. */
  on?: WaitCause;
  /** How the call that ends the wait is received, checked and answered. */
  request?: WaitedRequest;
}

/** What a node that waits for a call says about it: its parameters with every expression in them resolved, and its credentials. */
export type WaitedRequest = Pick<WorkflowNode, 'parameters' | 'credentials'>;

/** What a node run gives back: items per output, or a request to wait. */
export type NodeOutput = (Item[] | null)[] | { wait: WaitRequest };

/** All that a node may know and do while it runs. */
export interface NodeContext {
  readonly node: WorkflowNode;
  readonly typeVersion: number;
  readonly workflow: WorkflowDefinition;
  readonly compat: Compat;
  readonly executionId: string;
  readonly mode: ExecutionMode;
  readonly runIndex: number;
  /** Aborted on cancel and on the deadline. */
  readonly signal: AbortSignal;
  /** The items at one input (default 0); empty when nothing arrived. */
  input(index?: number): readonly Item[];
  /** How many inputs are connected. */
  readonly inputCount: number;
  /** Per input index, where its items came from; null for an input nothing arrived at. */
  readonly source: readonly (Source | null)[];
  /** A parameter by dotted path with every expression in it resolved for one item; `fallback` when absent. */
  parameter(path: string, itemIndex: number, fallback?: unknown): unknown;
  /** The parameter as written. */
  rawParameter(path: string): unknown;
  /** Evaluates a template (`={{ … }}` or text) for one item with extra roots such as `$response`. */
  evaluate(template: string, itemIndex: number, roots?: JsonObject): unknown;
  /** Runs Code-node source in the sandbox. `each` runs it once per item and gives one result per item. */
  runCode(request: { language: 'javaScript' | 'python'; source: string; mode: 'all' | 'each'; itemIndex?: number }): Promise<unknown>;
  /** Private to this node, kept over its runs in one execution: `$('Node').context`. */
  readonly state: JsonObject;
  staticData(scope: 'global' | 'node'): JsonObject;
  now(): number;
  random(): number;
  sleep(ms: number): Promise<void>;
  fetch(url: string, init: RequestInit): Promise<Response>;
  readonly binaries: BinaryStore;
  /** Text and properties of a PDF. Rejects with InvalidFile or PdfLimitExceeded. */
  readPdf(file: BinaryReference, options: PdfOptions): Promise<PdfContent>;
  credential(type: string): Promise<JsonObject>;
  /** An OAuth 2 access token for a credential that has none, shared with all who use it. `refused`: a token that a service did not take. */
  accessToken(type: string, refused?: string): Promise<string>;
  /** A connection to the database that the credential of a type describes; give it back. Rejects like `credential` and `Databases.connect`. */
  database(type: string): Promise<DatabaseConnection>;
  /** Stable over retries and takeovers: execution, node, run index, item. */
  idempotencyKey(itemIndex: number): string;
  respond(response: WebhookResponse): Promise<void>;
  /** Runs another workflow (by id or inline) with these items; undefined result when not waited for. */
  runWorkflow(request: { workflow: string | WorkflowDefinition; items: readonly Item[]; wait: boolean }): Promise<ExecutionResult | undefined>;
  /** Has pods run, each once however often it is asked for. Resolves to undefined while they are not all over: then wait for `pods`. */
  runContainers(requests: readonly ContainerRequest[]): Promise<readonly ContainerResult[] | undefined>;
  /** How the work of this run is to be distributed; undefined for what works on a part of it. */
  readonly distribute: DistributePolicy | undefined;
  /** Has the parts of the run's work done. Resolves to undefined while they are not all over: then wait for `partitions`. */
  runPartitions(request: Distribution): Promise<Distributed | undefined>;
  readonly baseUrl: string;
}

export interface NodeType extends NodeDescription {
  execute(context: NodeContext): Promise<NodeOutput> | NodeOutput;
}
