import type { ErrorRecord } from '../runner/engine/item.ts';
import type { Checkpoint, ExecutionMode, ExecutionStatus, NodeRun, WebhookResponse } from '../runner/engine/node-run.ts';
import type { Database, Statement } from './database.ts';
import { isExecutionId } from './execution-id.ts';
import { listExecutions } from './execution-list.ts';
import { EXECUTION_COLUMNS, type ExecutionRow, HISTORY_COLUMNS, QUEUE_COLUMNS, toExecution } from './execution-row.ts';
import { summarize } from './history.ts';
import { decodePayload } from './payload.ts';
import type { Payloads } from './payloads.ts';
import { Keep, type WorkflowKey } from './route.ts';

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
  /** Set when the node did not execute: the result is that of an earlier run. */
  cached?: true;
  /** Set when it belongs to a branch that undid another run. */
  compensation?: true;
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
  /** How many node runs were undone, when there was something to undo. */
  compensated?: number;
}

export interface ExecutionFilter {
  namespace?: string;
  /** Needs `namespace`. */
  workflow?: string;
  status?: ExecutionStatus;
  mode?: ExecutionMode;
  /** Created at or after; milliseconds since the epoch. */
  since?: number;
  /** Created before; milliseconds since the epoch. */
  until?: number;
  /** Words of the error, or beginnings of words, all of which must occur; or the first 8 or more characters of an id. */
  search?: string;
  /** 1 to 200. Default 50. */
  limit?: number;
  /** `next` of the page before. */
  cursor?: string;
}

export interface ExecutionDetail extends Execution {
  /** While it is not finished: of the checkpoints so far. */
  nodes: NodeRunSummary[];
  /** Whether `nodeRuns` has the items. */
  hasItems: boolean;
}

export interface Executions {
  /** Newest first. */
  list(filter: ExecutionFilter): Promise<{ executions: Execution[]; next?: string }>;
  get(id: string): Promise<ExecutionDetail | undefined>;
  /** Those that exist of the given ids, finished or not, whatever the save policy says. */
  statuses(ids: readonly string[]): Promise<Execution[]>;
  /** With items, while it is not finished those of the checkpoints so far. Empty when the items were not kept. */
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

const STATUSES: Statement = {
  name: 'execution-statuses',
  text: `
    SELECT ${EXECUTION_COLUMNS} FROM (SELECT ${QUEUE_COLUMNS} FROM millrace.queue WHERE id = ANY($1::uuid[])) q
    UNION ALL SELECT ${EXECUTION_COLUMNS} FROM (SELECT ${HISTORY_COLUMNS} FROM millrace.execution WHERE id = ANY($1::uuid[])) e`,
};

/** One snapshot: an execution is in the queue or in the history, never in both or neither. */
const GET: Statement = {
  name: 'execution-get',
  text: `
    SELECT ${EXECUTION_COLUMNS}, kept, data, checkpoints FROM (
      SELECT ${QUEUE_COLUMNS}, 'All' AS kept, NULL::bytea AS data,
        (SELECT coalesce(array_agg(k.data ORDER BY k.sequence), '{}') FROM millrace.checkpoint k WHERE k.execution_id = queue.id) AS checkpoints
      FROM millrace.queue WHERE id = $1) q
    UNION ALL SELECT ${EXECUTION_COLUMNS}, kept, data, NULL::bytea[] FROM (SELECT ${HISTORY_COLUMNS}, kept, data FROM millrace.execution WHERE id = $1 AND kept <> 'None') e`,
};

interface DetailRow extends ExecutionRow {
  kept: Keep;
  data: Buffer | null;
  checkpoints: Buffer[] | null;
}

/** Undefined when items were not kept. */
function runsOf({ kept, data, checkpoints }: DetailRow): NodeRun[] | undefined {
  if (checkpoints !== null) return checkpoints.flatMap((bytes) => (decodePayload(bytes) as Checkpoint).runs);
  return kept === Keep.All && data !== null ? decodePayload(data) as NodeRun[] : undefined;
}

function summariesOf(row: DetailRow): NodeRunSummary[] {
  const runs = runsOf(row);
  if (runs !== undefined) return runs.map(summarize);
  return row.data === null ? [] : decodePayload(row.data) as NodeRunSummary[];
}

export function createExecutions(database: Database, payloads: Pick<Payloads, 'load'>): Executions {
  const find = async (id: string): Promise<DetailRow | undefined> => {
    const [row] = isExecutionId(id) ? await database.query<DetailRow>(GET, [id]) : [];
    if (row === undefined) return undefined;
    const { data, checkpoints } = row;
    return { ...row, data: data && await payloads.load(data), checkpoints: checkpoints && await Promise.all(checkpoints.map(async (bytes) => payloads.load(bytes))) };
  };
  return {
    list: async (filter) => listExecutions(database, filter),
    async get(id) {
      const row = await find(id);
      return row && { ...toExecution(row), nodes: summariesOf(row), hasItems: runsOf(row) !== undefined };
    },
    async statuses(ids) {
      return (await database.query<ExecutionRow>(STATUSES, [ids.filter(isExecutionId)])).map(toExecution);
    },
    async nodeRuns(id, { node, runIndex } = {}) {
      const row = await find(id);
      const runs = (row && runsOf(row)) ?? [];
      return runs.filter((run) => (node === undefined || run.node === node) && (runIndex === undefined || run.runIndex === runIndex));
    },
  };
}
