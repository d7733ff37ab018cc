import type { Checkpoint, ExecutionMode, ExecutionResult, WebhookResponse } from '../runner/engine/node-run.ts';
import type { Item, JsonObject } from '../runner/engine/item.ts';
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
  /** Default 10,000. */
  leaseMs?: number;
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

export interface FinishWrite extends Lease {
  /** Succeeded, Failed or Canceled. For Waiting use `wait`. */
  result: ExecutionResult;
  save: SavePolicy;
  /** Default true; false in manual executions. */
  keepStaticData?: boolean;
}

export interface WaitWrite extends Lease {
  wait: { node: string; until?: number; on?: 'webhook' | 'form' };
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
