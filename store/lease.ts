import type { Checkpoint, ExecutionMode, ExecutionResult, WebhookResponse } from '../runner/engine/node-run.ts';
import type { Item, JsonObject } from '../runner/engine/item.ts';
import type { PartitionResult } from '../runner/engine/partitions.ts';
import type { WaitCause, WaitedRequest } from '../runner/engine/node-type.ts';
import type { Trigger } from './request.ts';
import type { SavePolicy, WorkflowKey } from './route.ts';

/**
 * The right to execute. `fence` counts the claims of an execution from 1; every write carries it, and is refused once
 * somebody else has claimed the execution.
 */
export interface Lease {
  executionId: string;
  fence: number;
}

export interface ClaimOptions {
  pool: string;
  /** Names one runner process; a restarted process must take another name. */
  runner: string;
  limit: number;
  /** Default 8,000. */
  leaseMs?: number;
  /** Only this one, of a runner that is there for nothing else. */
  executionId?: string;
  /** Revisions that are preferred among executions of about the same age. With them a claim may find fewer than there are. */
  warm?: readonly string[];
}

export interface Claim extends Lease, WorkflowKey {
  uid: string;
  revision: string;
  mode: ExecutionMode;
  priority: number;
  trigger: Trigger;
  /** Written by earlier owners, in order. */
  checkpoints: Checkpoint[];
  /** Set when a persisted Wait is over: why, and what a call brought. */
  resume?: Resume;
  /** What the workflow's earlier executions kept. */
  staticData: { global: JsonObject; nodes: Record<string, JsonObject> };
  save: SavePolicy;
  /** The answer an earlier owner sent already. */
  response?: WebhookResponse;
  /** Milliseconds until the execution is over its time; at most 0 when it is already. */
  remainingMs?: number;
  /** Somebody canceled it before this claim. Set only when what it did is to be undone, or the claim was handed back. */
  canceled?: true;
  /** How often it took a runner or executor down. */
  crashes: number;
  parent?: string;
  workflowRun?: string;
  /** Milliseconds since the epoch, by the database's clock. */
  createdAt: number;
}

/** `nextMs`: milliseconds until delayed work of this pool is due, when less was claimed than asked for. */
export interface Claimed {
  claims: Claim[];
  nextMs?: number;
}

export interface RenewOptions {
  runner: string;
  /** Everything this runner executes. What it owns and does not list for a whole lease goes back to the queue. */
  leases: readonly Lease[];
  leaseMs?: number;
  load?: RunnerLoad;
}

/** How busy a runner is, and has been since its process started. */
export interface RunnerLoad {
  /** Executions it can run at the same time; 0 while it takes none. */
  slots: number;
  /** Those that it runs now. */
  busy: number;
  /** Claims since it came up. */
  started: number;
  /** Claims that are over: finished, parked or handed back. */
  ended: number;
  /** Milliseconds for which those that are over held their slots, together. */
  busyMs: number;
}

/** Execution ids. `lost`: stop, somebody else owns them. `canceled`: stop and finish as Canceled. */
export interface Renewed {
  lost: string[];
  canceled: string[];
}

export interface CheckpointWrite extends Lease {
  checkpoint: Checkpoint;
}

export interface ResponseWrite extends Lease {
  response: WebhookResponse;
}

/** What is left to store of an execution's node runs when they have been encoded where they were made. */
export interface EncodedRuns {
  counts: { succeeded: number; failed: number };
  /** Of `encodeRuns`, for the save policy; absent when nothing is kept. */
  data?: Uint8Array;
}

export interface EndedExecution extends ExecutionResult {
  /** Instead of `runs`, which is empty then. */
  encodedRuns?: EncodedRuns;
  /** What an execution that works on a part of another one's items gives to that. */
  partition?: PartitionResult;
}

export interface FinishWrite extends Lease {
  /** Succeeded, Failed or Canceled. For Waiting use `wait`. */
  result: EndedExecution;
  save: SavePolicy;
  /** Default true; false in manual executions. */
  keepStaticData?: boolean;
}

export interface WaitWrite extends Lease {
  wait: { node: string; until?: number; on?: WaitCause };
}

export interface CrashWrite extends Lease {
  /** Stable code, such as ExecutorOutOfMemory. */
  reason: string;
}

/** Why a waiting execution goes on: its time came, or it was called with these items. */
export interface Resume {
  node: string;
  cause: 'timeout' | 'call';
  items?: readonly Item[];
}

/** What an execution that waits for a call is waiting for. */
export interface Waiting extends WorkflowKey {
  mode: ExecutionMode;
  node: string;
  on: 'webhook' | 'form';
  /** Milliseconds since the epoch after which it goes on without a call. */
  until?: number;
  /** The waiting node's parameters without expressions, and its credentials: how the call is received, checked and answered. */
  request: WaitedRequest;
}

/** A call that ends a wait. */
export interface ResumeCall {
  executionId: string;
  /** The node that waits, as `waiting` told it. */
  node: string;
  /** What that node puts out. */
  items: readonly Item[];
  /** `store.replies.address` of whoever waits for the answer to this call. */
  replyTo?: string;
}
