import type { ExecutionMode } from '../runner/engine/node-run.ts';
import type { Item } from '../runner/engine/item.ts';
import type { PartialRun } from '../runner/engine/partial.ts';
import type { Collect, Slice } from '../runner/engine/partitions.ts';
import type { WorkflowKey } from './route.ts';

/** What starts an execution: the node it begins at (absent: the engine chooses) and the items that node puts out. */
export interface Trigger {
  node?: string;
  items: readonly Item[];
  /** W3C traceparent of the span that asked for the execution; absent without traces. */
  traceparent?: string;
  /** The execution descends from an error workflow. */
  underError?: boolean;
  /**
   * It works on a part of another execution's work, and says of its own what that one collects; `slice`: instead of items; `deadline`: milliseconds
   * since the epoch after which that one is over its time.
   */
  partition?: { id: string; deadline?: number; slice?: Slice; collect?: Collect };
  /** Run a part of the workflow. `dataOf`: an earlier execution of the same workflow, whose items the nodes before the part stand for. */
  partial?: PartialRun & { dataOf?: string };
}

export interface EnqueueRequest extends WorkflowKey {
  /** The execution's id, made by `executionIds`, when files of it are stored already. Default: a new one. */
  id?: string;
  mode: ExecutionMode;
  trigger: Trigger;
  /** A second request with the same key, namespace and workflow within `idempotencyWindowMs` gets the first one's execution. */
  idempotencyKey?: string;
  /** Default: the route's, or else 24 hours. */
  idempotencyWindowMs?: number;
  /** Run this revision, whatever the route says. */
  revision?: string;
  /** Instead of the route's. */
  pool?: string;
  /** Instead of the route's. */
  priority?: number;
  /** Start no sooner than this from now. */
  delayMs?: number;
  /** `store.replies.address` of whoever waits for the answer. */
  replyTo?: string;
  /** Execution that called this one. */
  parent?: string;
  /** The limits of the workflow do not hold: it is a part of an execution that they have let in. */
  unlimited?: true;
  /** UID of the WorkflowRun that asked for it; its end is announced on the `finished` channel. */
  workflowRun?: string;
}

/** Why a request was not accepted. */
export const RejectReason = {
  /** There is no such workflow, or its controller has not stored it yet. */
  WorkflowNotFound: 'WorkflowNotFound',
  /** The workflow is not active; only manual and sub-workflow executions may start. */
  WorkflowInactive: 'WorkflowInactive',
  /** The revision that was asked for is not stored, or of another workflow. */
  RevisionNotFound: 'RevisionNotFound',
  /** As many executions of the workflow, or of the group, are under way as may be, and its policy is Drop. */
  ConcurrencyLimit: 'ConcurrencyLimit',
  /** The workflow, or the group, has started as many executions as it may for now, and its policy is Drop. */
  RateLimited: 'RateLimited',
  /** As much waits for the pool, or for the namespace in the pool, as may. */
  QueueFull: 'QueueFull',
} as const;
export type RejectReason = (typeof RejectReason)[keyof typeof RejectReason];

/** Durable once returned. `duplicate`: an earlier request with the same idempotency key is being or has been executed. */
export type Enqueued =
  | { accepted: true; id: string; revision: string; duplicate: boolean }
  | { accepted: false; reason: RejectReason; /** Milliseconds after which another try makes sense. */ retryMs?: number };
