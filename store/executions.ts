import type { ErrorRecord } from '../runner/engine/item.ts';
import type { ExecutionMode, ExecutionStatus, NodeRun, WebhookResponse } from '../runner/engine/node-run.ts';
import type { WorkflowKey } from './route.ts';

/** One node run without its items. */
export interface NodeRunSummary {
  node: string;
  runIndex: number;
  status: NodeRun['status'];
  /** Items per output; null for an output that was never written. */
  items: (number | null)[];
  startedAt: number;
  durationMs: number;
  error?: ErrorRecord;
}

/** Times are milliseconds since the epoch by the database's clock. */
export interface Execution extends WorkflowKey {
  id: string;
  uid: string;
  revision: string;
  mode: ExecutionMode;
  status: ExecutionStatus;
  pool: string;
  priority: number;
  createdAt: number;
  startedAt?: number;
  finishedAt?: number;
  /** Claims so far. */
  attempts: number;
  crashes: number;
  runner?: string;
  error?: ErrorRecord;
  lastNode?: string;
  parent?: string;
  workflowRun?: string;
  /** How many node runs succeeded and failed; after the end only. */
  counts?: { succeeded: number; failed: number };
}

export interface ExecutionFilter {
  namespace?: string;
  /** Needs `namespace`. */
  workflow?: string;
  status?: ExecutionStatus;
  /** Created at or after; milliseconds since the epoch. */
  since?: number;
  /** 1 to 200. Default 50. */
  limit?: number;
  /** `next` of the page before. */
  cursor?: string;
}

export interface ExecutionDetail extends Execution {
  nodes: NodeRunSummary[];
  /** What is kept of the items. None also while it runs. */
  data: 'All' | 'None';
}

export interface Executions {
  /** Newest first. */
  list(filter: ExecutionFilter): Promise<{ executions: Execution[]; next?: string }>;
  get(id: string): Promise<ExecutionDetail | undefined>;
  /** Those that exist of the given ids, finished or not, whatever the save policy says. */
  statuses(ids: readonly string[]): Promise<Execution[]>;
  /** With items. Empty when the items were not kept. */
  nodeRuns(id: string, filter?: { node?: string; runIndex?: number }): Promise<NodeRun[]>;
}

/** What a waiting caller hears: the early or final answer, and the end if it has come. */
export interface Reply {
  executionId: string;
  status: ExecutionStatus;
  response?: WebhookResponse;
  error?: ErrorRecord;
  lastNode?: string;
}
