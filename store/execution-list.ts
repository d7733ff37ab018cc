import { ExecutionMode, ExecutionStatus } from '../runner/engine/node-run.ts';
import type { Database, Statement } from './database.ts';
import { firstIdAt, isExecutionId } from './execution-id.ts';
import { EXECUTION_COLUMNS, type ExecutionRow, HISTORY_COLUMNS, QUEUE_COLUMNS, QUEUE_STATUS, toExecution } from './execution-row.ts';
import { searchExecutions, wordQuery } from './execution-search.ts';
import type { Execution, ExecutionFilter } from './executions.ts';
import { storableText } from './payload.ts';

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

type Source = 'queue' | 'history' | 'both';

function sourceOf(status: ExecutionStatus | undefined): Source {
  if (status === undefined) return 'both';
  return status === ExecutionStatus.Queued || status === ExecutionStatus.Running || status === ExecutionStatus.Waiting ? 'queue' : 'history';
}

/** Conditions on the parameters $1 namespace, $2 workflow, $3 status, $4 id below, $5 id from, $7 mode; every one is mentioned so that its type is known. */
function conditions(filter: ExecutionFilter, status: string): string {
  return [
    filter.namespace === undefined ? '$1::text IS NULL' : 'namespace = $1::text',
    filter.workflow === undefined ? '$2::text IS NULL' : 'workflow = $2::text',
    filter.status === undefined ? '$3::text IS NULL' : `${status} = $3::text`,
    filter.mode === undefined ? '$7::text IS NULL' : 'mode = $7::text',
    'id < $4::uuid', 'id >= $5::uuid',
  ].join(' AND ');
}

/**
 * The newest of the history. Its index is by workflow and time; where no workflow is given, the newest of each are found by jumping through
 * the index from workflow to workflow, and merged; only those of the page are read whole. Without any filter the primary key does.
 */
function historySql(filter: ExecutionFilter): string {
  const visible = visibleBy(filter);
  const page = (columns: string, extra: string): string =>
    `SELECT ${columns} FROM millrace.execution WHERE ${visible} AND ${conditions(filter, 'status')}${extra} ORDER BY id DESC LIMIT $6`;
  const isWhole = filter.namespace === undefined && visible === `kept <> 'None'`;
  if (isWhole || filter.workflow !== undefined) return page(HISTORY_COLUMNS, '');
  // Both conditions on the namespace would let PostgreSQL read all of it for each workflow, from its first entry on.
  const [within, following] = filter.namespace === undefined
    ? ['', '(e.namespace, e.workflow) > (owner.namespace, owner.workflow)']
    : [' AND e.namespace = $1::text', 'e.namespace = $1::text AND e.workflow > owner.workflow'];
  return `
    WITH RECURSIVE owner AS (
      (SELECT e.namespace, e.workflow FROM millrace.execution e WHERE ${visible}${within} ORDER BY e.namespace, e.workflow LIMIT 1)
      UNION ALL
      SELECT following.* FROM owner CROSS JOIN LATERAL (
        SELECT e.namespace, e.workflow FROM millrace.execution e WHERE ${visible} AND ${following}
        ORDER BY e.namespace, e.workflow LIMIT 1) following
    )
    SELECT whole.* FROM (
      SELECT newest.id FROM owner CROSS JOIN LATERAL (
        ${page('id', ' AND namespace = owner.namespace AND workflow = owner.workflow')}) newest
      ORDER BY id DESC LIMIT $6) chosen
    CROSS JOIN LATERAL (SELECT ${HISTORY_COLUMNS} FROM millrace.execution e WHERE e.id = chosen.id LIMIT 1) whole
    ORDER BY id DESC`;
}

/** Conditions of a partial index: on what did not succeed, which finds a rare failure among millions of successes, or on what no webhook started. */
function visibleBy({ status, mode }: ExecutionFilter): string {
  if (mode !== undefined && mode !== ExecutionMode.Webhook) return `kept <> 'None' AND mode <> 'Webhook' AND mode = $7::text`;
  return status === undefined || status === ExecutionStatus.Succeeded ? `kept <> 'None'` : `kept <> 'None' AND status <> 'Succeeded'`;
}

function queueSql(filter: ExecutionFilter): string {
  return `SELECT ${QUEUE_COLUMNS} FROM millrace.queue WHERE ${conditions(filter, QUEUE_STATUS)} ORDER BY id DESC LIMIT $6`;
}

/** A page as the filter asks for it: which texts the statement has is its shape, which values are its parameters. */
function statementFor(filter: ExecutionFilter): Statement {
  const source = sourceOf(filter.status);
  const parts = [...(source === 'history' ? [] : [queueSql(filter)]), ...(source === 'queue' ? [] : [historySql(filter)])];
  const shape = [filter.namespace !== undefined, filter.workflow !== undefined, filter.status ?? 'any', filter.mode === undefined ? 'any' : filter.mode === ExecutionMode.Webhook].join('-');
  return { name: `list-${shape}`, text: `${parts.map((part) => `SELECT ${EXECUTION_COLUMNS} FROM (${part}) part`).join(' UNION ALL ')} ORDER BY id DESC LIMIT $6` };
}

/** The beginning of an id, with or without its dashes. */
const ID_PREFIX = /^[0-9a-f]{8}[0-9a-f-]{0,28}$/;

/** Ids that the filter leaves: from `from`, it included, to `below`, itself not. */
function idRange({ cursor, since = 0, until, search }: ExecutionFilter): { from: string; below: string } {
  const prefix = search !== undefined && ID_PREFIX.test(search) ? search.replaceAll('-', '').slice(0, 32) : '';
  const from = [firstIdAt(since), toId(prefix.padEnd(32, '0'))].reduce((a, b) => (a > b ? a : b));
  const below = [...(prefix === '' ? [LAST_ID] : [following(prefix)]), ...(cursor !== undefined && isExecutionId(cursor) ? [cursor] : []), ...(until === undefined ? [] : [firstIdAt(until)])];
  return { from, below: below.reduce((a, b) => (a < b ? a : b)) };
}

/** The first id after all that begin with these digits. */
function following(prefix: string): string {
  const next = (BigInt(`0x${prefix}`) + 1n).toString(16).padStart(prefix.length, '0');
  return next.length > prefix.length ? LAST_ID : toId(next.padEnd(32, '0'));
}

function toId(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export async function listExecutions(database: Database, filter: ExecutionFilter): Promise<{ executions: Execution[]; next?: string }> {
  const limit = Math.max(1, Math.min(filter.limit ?? 50, 200));
  const { from, below } = idRange(filter);
  const [namespace, workflow] = [storableText(filter.namespace ?? '') || null, storableText(filter.workflow ?? '') || null];
  const { status = null, mode = null, search } = filter;
  const rows = search === undefined || ID_PREFIX.test(search)
    ? await database.query<ExecutionRow>(statementFor(filter), [namespace, workflow, status, below, from, limit + 1, mode])
    : await searchExecutions(database, { words: wordQuery(search), namespace, workflow, status, mode, from, below, limit: limit + 1 });
  const executions = rows.slice(0, limit).map(toExecution);
  const last = executions.at(-1);
  return rows.length > limit && last !== undefined ? { executions, next: last.id } : { executions };
}
