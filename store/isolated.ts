import type { Database, Statement } from './database.ts';
import { isolatedPool } from './pool-name.ts';
import { lookAfter } from './queue/gates.ts';
import { dueOf, tenantsOf } from './queue/claim.ts';
import type { WorkflowKey } from './route.ts';

/** An execution that may start, or go on, once it has a pod. */
export interface IsolatedExecution extends WorkflowKey {
  id: string;
  /** The claim that the pod is for, from 1. */
  attempt: number;
  /** UID of the WorkflowRun that asked for it. */
  workflowRun?: string;
}

/** Where an execution stands that has a pod. */
export interface IsolatedState {
  /** Claims so far. */
  fence: number;
  isRunning: boolean;
}

/** Executions that run in pods of their own; the queue they are in is that of `isolatedPool`. */
export interface IsolatedExecutions {
  /** Those that may start now, namespaces in turn, within each the order of the queue. None while the pool is paused. */
  wanted(pool: string, limit: number): Promise<IsolatedExecution[]>;
  /** By id; what has ended is missing. */
  states(ids: readonly string[]): Promise<Map<string, IsolatedState>>;
}

/** No runner looks there when there is no pod, so delayed work is made ready here. */
const DUE: Statement = { name: 'isolated-due', text: `WITH due AS (${dueOf('1000')}) SELECT ${lookAfter('due')} AS woken` };

const WANTED: Statement = {
  name: 'isolated-wanted',
  text: `
    WITH RECURSIVE ${tenantsOf('NOT EXISTS (SELECT FROM millrace.pool p WHERE p.name = $1 AND (p.paused OR p.held))')}
    SELECT head.id, head.namespace, head.workflow, head.fence + 1 AS attempt, head.workflow_run
    FROM tenant CROSS JOIN LATERAL (
      SELECT q.id, q.namespace, q.workflow, q.fence, q.workflow_run, q.rank, row_number() OVER (ORDER BY q.rank) AS turn FROM millrace.queue q
      WHERE q.pool = $1 AND q.state = 'Ready' AND q.namespace = tenant.namespace ORDER BY q.rank LIMIT $2) head
    ORDER BY head.turn, head.rank LIMIT $2`,
};

const STATES: Statement = { name: 'isolated-states', text: `SELECT id::text AS id, fence, state = 'Running' AS "isRunning" FROM millrace.queue WHERE id = ANY($1::uuid[])` };

interface Row extends WorkflowKey {
  id: string;
  attempt: number;
  workflow_run: string | null;
}

export function createIsolated(database: Database): IsolatedExecutions {
  return {
    async wanted(pool, limit) {
      await database.query(DUE, [isolatedPool(pool)]);
      const rows = await database.query<Row>(WANTED, [isolatedPool(pool), limit]);
      return rows.map(({ workflow_run: workflowRun, ...row }) => ({ ...row, ...(workflowRun !== null && { workflowRun }) }));
    },
    async states(ids) {
      if (ids.length === 0) return new Map();
      return new Map((await database.query<IsolatedState & { id: string }>(STATES, [ids])).map(({ id, ...state }) => [id, state]));
    },
  };
}
