import { ExecutionStatus } from '../runner/engine/node-run.ts';
import type { Database, Statement } from './database.ts';
import { firstIdAt, isExecutionId } from './execution-id.ts';
import { EXECUTION_COLUMNS, type ExecutionRow, HISTORY_COLUMNS, QUEUE_COLUMNS, QUEUE_STATUS, toExecution } from './execution-row.ts';
import type { Execution, ExecutionFilter } from './executions.ts';
import { storableText } from './payload.ts';

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

type Source = 'queue' | 'history' | 'both';

function sourceOf(status: ExecutionStatus | undefined): Source {
  if (status === undefined) return 'both';
  return status === ExecutionStatus.Queued || status === ExecutionStatus.Running || status === ExecutionStatus.Waiting ? 'queue' : 'history';
}

/** Conditions on the parameters $1 namespace, $2 workflow, $3 status, $4 id below, $5 id from; every one is mentioned so that its type is known. */
function conditions(filter: ExecutionFilter, status: string): string {
  return [
    filter.namespace === undefined ? '$1::text IS NULL' : 'namespace = $1::text',
    filter.workflow === undefined ? '$2::text IS NULL' : 'workflow = $2::text',
    filter.status === undefined ? '$3::text IS NULL' : `${status} = $3::text`,
    'id < $4::uuid', 'id >= $5::uuid',
  ].join(' AND ');
}

/**
 * The newest of the history. Its index is by workflow and time; where no workflow is given, the newest of each are found by jumping through
 * the index from workflow to workflow, and merged. Without any filter the primary key does.
 */
function historySql(filter: ExecutionFilter): string {
  // The partial index on what did not succeed finds a rare failure among millions of successes.
  const visible = `kept <> 'None'${filter.status === undefined || filter.status === ExecutionStatus.Succeeded ? '' : ` AND status <> 'Succeeded'`}`;
  const page = (extra: string): string =>
    `SELECT ${HISTORY_COLUMNS} FROM millrace.execution WHERE ${visible} AND ${conditions(filter, 'status')}${extra} ORDER BY id DESC LIMIT $6`;
  const isWhole = filter.namespace === undefined && visible === `kept <> 'None'`;
  if (isWhole || filter.workflow !== undefined) return page('');
  const within = filter.namespace === undefined ? '' : ' AND e.namespace = $1::text';
  return `
    WITH RECURSIVE owner AS (
      (SELECT e.namespace, e.workflow FROM millrace.execution e WHERE ${visible}${within} ORDER BY e.namespace, e.workflow LIMIT 1)
      UNION ALL
      SELECT following.* FROM owner CROSS JOIN LATERAL (
        SELECT e.namespace, e.workflow FROM millrace.execution e WHERE ${visible}${within} AND (e.namespace, e.workflow) > (owner.namespace, owner.workflow)
        ORDER BY e.namespace, e.workflow LIMIT 1) following
    )
    SELECT newest.* FROM owner CROSS JOIN LATERAL (
      ${page(' AND namespace = owner.namespace AND workflow = owner.workflow')}) newest
    ORDER BY id DESC LIMIT $6`;
}

function queueSql(filter: ExecutionFilter): string {
  return `SELECT ${QUEUE_COLUMNS} FROM millrace.queue WHERE ${conditions(filter, QUEUE_STATUS)} ORDER BY id DESC LIMIT $6`;
}

function statementFor(filter: ExecutionFilter): Statement {
  const source = sourceOf(filter.status);
  const parts = [...(source === 'history' ? [] : [queueSql(filter)]), ...(source === 'queue' ? [] : [historySql(filter)])];
  const shape = [filter.namespace !== undefined, filter.workflow !== undefined, filter.status ?? 'any'].join('-');
  return { name: `list-${shape}`, text: `${parts.map((part) => `SELECT ${EXECUTION_COLUMNS} FROM (${part}) part`).join(' UNION ALL ')} ORDER BY id DESC LIMIT $6` };
}

export async function listExecutions(database: Database, filter: ExecutionFilter): Promise<{ executions: Execution[]; next?: string }> {
  const limit = Math.max(1, Math.min(filter.limit ?? 50, 200));
  const before = filter.cursor !== undefined && isExecutionId(filter.cursor) ? filter.cursor : LAST_ID;
  const rows = await database.query<ExecutionRow>(statementFor(filter), [
    storableText(filter.namespace ?? '') || null, storableText(filter.workflow ?? '') || null, filter.status ?? null, before, firstIdAt(filter.since ?? 0), limit + 1,
  ]);
  const executions = rows.slice(0, limit).map(toExecution);
  const last = executions.at(-1);
  return rows.length > limit && last !== undefined ? { executions, next: last.id } : { executions };
}
