import type { ExecutionMode, ExecutionStatus } from '../runner/engine/node-run.ts';
import type { Execution } from './executions.ts';
import type { Brief } from './history.ts';
import { decodePayload } from './payload.ts';

/** One execution, from the queue or the history, as both sides of QUEUE_COLUMNS and HISTORY_COLUMNS give it. */
export interface ExecutionRow {
  id: string;
  namespace: string;
  workflow: string;
  uid: string;
  revision: string;
  mode: ExecutionMode;
  status: ExecutionStatus;
  pool: string;
  priority: number;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  fence: number;
  crashes: number;
  runner: string | null;
  parent: string | null;
  workflow_run: string | null;
  brief: Buffer | null;
}

const SHARED = `id, namespace, workflow, uid, encode(revision, 'hex') AS revision, mode, pool, priority, extract(epoch FROM created_at)::float8 * 1000 AS created_at,
  extract(epoch FROM started_at)::float8 * 1000 AS started_at, fence, crashes, runner, parent, workflow_run`;

/** What people call the states of the queue. */
export const QUEUE_STATUS = `CASE state WHEN 'Running' THEN 'Running' WHEN 'Waiting' THEN 'Waiting' ELSE CASE WHEN wait_node IS NULL THEN 'Queued' ELSE 'Waiting' END END`;

/** The columns of both, in one order. */
export const EXECUTION_COLUMNS = `id, namespace, workflow, uid, revision, mode, status, pool, priority, created_at, started_at, finished_at, fence, crashes, runner, parent,
  workflow_run, brief`;
export const QUEUE_COLUMNS = `${SHARED}, ${QUEUE_STATUS} AS status, NULL::float8 AS finished_at, NULL::bytea AS brief`;
export const HISTORY_COLUMNS = `${SHARED}, status, extract(epoch FROM finished_at)::float8 * 1000 AS finished_at, brief`;

export function toExecution(row: ExecutionRow): Execution {
  return {
    id: row.id, namespace: row.namespace, workflow: row.workflow, uid: row.uid, revision: row.revision, mode: row.mode, status: row.status,
    pool: row.pool, priority: row.priority, createdAt: row.created_at, attempts: row.fence, crashes: row.crashes,
    ...(row.started_at !== null && { startedAt: row.started_at }),
    ...(row.finished_at !== null && { finishedAt: row.finished_at }),
    ...(row.runner !== null && { runner: row.runner }),
    ...(row.parent !== null && { parent: row.parent }),
    ...(row.workflow_run !== null && { workflowRun: row.workflow_run }),
    ...(row.brief !== null && (decodePayload(row.brief) as Brief)),
  };
}
