import type { ErrorRecord, Item, JsonObject } from './item.ts';
import type { WaitCause, WaitedRequest, WaitRequest } from './node-type.ts';

/** Where the items of one input came from. */
export interface Source {
  node: string;
  output: number;
  run: number;
}

/** One run of one node: what `$('Node')`, the history and the live view read. */
export interface NodeRun {
  node: string;
  /** Counts the runs of this node in this execution, from 0. */
  runIndex: number;
  status: 'success' | 'error';
  /** One entry per input index; null for an input nothing arrived at. */
  source: readonly (Source | null)[];
  /** One entry per output index; null for an output that was never written. */
  outputs: readonly (readonly Item[] | null)[];
  error?: ErrorRecord;
  /** Set when the node did not execute: this is the result of an earlier run. */
  cached?: true;
  /** Set when the run belongs to a branch that undid another run. */
  compensation?: true;
  /** Milliseconds since the epoch. */
  startedAt: number;
  durationMs: number;
  /**
   * How many items each output had, when they were dropped to save memory. `outputs` is then empty; what expressions see of such
   * a run may have items with an empty `json`, which say only what they were made from.
   */
  droppedItems?: readonly number[];
}

/** Which execution of the tree a record belongs to: absent for the root, a path of calls for sub-workflows. */
export interface Scoped {
  scope?: string;
}

/** Workflow static data: `global` and per node name. */
export interface StaticData {
  global: JsonObject;
  nodes: Record<string, JsonObject>;
}

/** The parts of static data that are not as they were. */
export type StaticDataChanges = Partial<StaticData>;

/** A finished run that a replay takes as it is, with what it left behind outside its outputs. */
export interface CommittedRun extends NodeRun, Scoped {
  /** The node's private state after this run, when it has any. */
  state?: JsonObject;
  /** The workflow's static data after this run, when the execution used it. */
  staticData?: StaticData;
  /** That of other workflows of the tree, by their id: sub-workflows it called are not run again. */
  otherStaticData?: Readonly<Record<string, StaticData>>;
  /** Set when it counts only if this attempt at the transaction of the execution was committed. */
  attempt?: string;
  /** Set when this run answered the webhook. */
  responded?: boolean;
  /** Set when this run was a wait that a call ended: how that call is to be answered. */
  answering?: WaitedRequest;
  /** Set when a compensation is there to undo this run, should the execution not succeed. */
  undoable?: true;
}

/** How an execution ended that is to be undone, or is being undone. */
export interface Ending {
  status: 'Failed' | 'Canceled';
  error?: ErrorRecord;
  lastNode?: string;
  /** Runs in its history when it ended. Absent: those that are durable. */
  after?: number;
  /** When it ended; milliseconds since the epoch. */
  at?: number;
  /** Runs in sub-workflows that were under way when it ended: nobody undoes them. */
  cutOff?: readonly Pick<NodeRun, 'node' | 'runIndex'>[];
}

/** What a pure node read from outside itself (clock, randomness, variables, static data), in reading order. */
export interface Recording extends Scoped {
  node: string;
  runIndex: number;
  reads: readonly unknown[];
}

/** What an execution first saw of its surroundings. */
export interface Environment {
  variables?: Readonly<Record<string, string>>;
  /** By id of the workflow. */
  staticData?: Readonly<Record<string, StaticData>>;
}

/**
 * What must be durable before the next effectful node may start. Replaying an execution with all its checkpoints, in
 * order, recomputes pure nodes from their recordings and takes effectful runs as they are.
 */
export interface Checkpoint {
  /** 0, 1, 2 … within one execution. */
  sequence: number;
  /** Finished runs of effectful nodes since the previous checkpoint, in order. */
  runs: readonly CommittedRun[];
  /** A later recording of the same run replaces an earlier one. */
  recordings: readonly Recording[];
  /** What the execution first saw of its surroundings; a replay sees the same. */
  environment?: Environment;
  /** How the execution, or a sub-workflow in it, ended: since this checkpoint it is being undone. */
  endings?: readonly (Ending & Scoped)[];
  /** The run the execution waits in since this checkpoint. */
  waiting?: Suspension;
}

/** A run that the execution waits in. */
export interface Suspension extends Scoped {
  node: string;
  runIndex: number;
  wait: WaitRequest;
}

export const ExecutionStatus = {
  Queued: 'Queued', Running: 'Running', Waiting: 'Waiting', Succeeded: 'Succeeded', Failed: 'Failed', Canceled: 'Canceled',
} as const;
export type ExecutionStatus = (typeof ExecutionStatus)[keyof typeof ExecutionStatus];

/** The HTTP answer of a webhook execution. */
export interface WebhookResponse {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** How `body` is written; base64 for bytes. */
  encoding: 'utf8' | 'base64';
}

/**
 * How an execution was started; `$execution.mode` shows Manual as "test", the others as "production". Api: by somebody's request for a
 * production run, with a WorkflowRun, the REST API or the command line.
 */
export const ExecutionMode = { Manual: 'Manual', Webhook: 'Webhook', Schedule: 'Schedule', Api: 'Api', SubWorkflow: 'SubWorkflow', Error: 'Error', Retry: 'Retry' } as const;
export type ExecutionMode = (typeof ExecutionMode)[keyof typeof ExecutionMode];

export interface ExecutionResult {
  /** Succeeded, Failed, Canceled (also on timeout), or Waiting (persist, and resume at `wait`). */
  status: ExecutionStatus;
  error?: ErrorRecord;
  lastNode?: string;
  /** How many runs were undone, when there was something to undo. */
  compensated?: number;
  /** All runs in the order in which they ended up in the history: `order` of the conformance recordings. */
  runs: readonly NodeRun[];
  /** Present when the workflow answers a webhook and has not answered before through the host. */
  response?: WebhookResponse;
  /** Present when status is Waiting. */
  wait?: { node: string; until?: number; on?: WaitCause };
  /** Changed static data, to be saved. */
  staticData?: StaticDataChanges;
  /** Changed static data of other workflows that ran inside this execution, by their id. */
  otherStaticData?: Record<string, StaticDataChanges>;
}
