import type { WorkflowDefinition } from '../runner/engine/workflow.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Database, Statement, Transaction } from './database.ts';
import { StoreError, StoreReason } from './error.ts';
import { type Limits, limitKeysOf } from './limits.ts';
import { channel, type Notifications } from './notifications.ts';
import { decodePayload, encodePayload } from './payload.ts';
import { putRevision } from './revisions.ts';
import type { Keep, Route, RouteApplied, RouteConflict, Routes, RouteSpec, RouteTrigger, WorkflowKey } from './route.ts';
import { watchRoutes, type RouteStamp } from './route-watch.ts';
import { registerSchedules } from './schedules.ts';

interface RouteRow {
  namespace: string;
  workflow: string;
  uid: string;
  active: boolean;
  stable: string;
  canary: string | null;
  weight: number;
  pool: string;
  priority: number;
  timeout_ms: number | null;
  save_success: Keep;
  save_failure: Keep;
  triggers: Buffer;
  limits: Limits | null;
  epoch: number;
}

const COLUMNS = `namespace, workflow, uid, active, encode(stable, 'hex') AS stable, encode(canary, 'hex') AS canary, weight,
  pool, priority, timeout_ms, save_success, save_failure, triggers, limits, epoch`;

const GET: Statement = { name: 'route-get', text: `SELECT ${COLUMNS} FROM millrace.route WHERE namespace = $1 AND workflow = $2` };
const LIST: Statement = { name: 'route-list', text: `SELECT ${COLUMNS} FROM millrace.route ORDER BY namespace, workflow` };

const STAMP: Statement = { name: 'route-stamp', text: 'SELECT count(*) AS routes, coalesce(sum(epoch), 0)::bigint AS epochs FROM millrace.route' };

/** Routes change rarely: one writer at a time per namespace keeps claims of webhooks free of deadlocks. */
const LOCK: Statement = { name: 'route-lock', text: `SELECT pg_advisory_xact_lock(727274002, hashtext($1))` };

/** What there is: always one row, whose route is absent when there is none, with the claims of others on what is wanted. */
const READ: Statement = {
  name: 'route-read',
  text: `
    SELECT r.*, ARRAY(
      SELECT json_build_object('method', w.method, 'path', w.path, 'workflow', w.workflow) FROM millrace.webhook w JOIN unnest($3::text[], $4::text[]) AS wanted(method, path)
      ON w.namespace = $1 AND w.method = wanted.method AND w.path = wanted.path WHERE w.workflow <> $2) AS taken
    FROM (VALUES (1)) AS always LEFT JOIN (SELECT ${COLUMNS} FROM millrace.route WHERE namespace = $1 AND workflow = $2) r ON true`,
};

/**
 * The route with its claims, all of it or, when a revision is not stored, nothing. What the workflow claims already stays as it is. The transaction that
 * changes a route tells it, so that this message comes whenever the change does. Routes change rarely.
 */
const WRITE: Statement = {
  name: 'route-write',
  text: `
    WITH written AS (
      INSERT INTO millrace.route AS r (namespace, workflow, uid, active, stable, canary, weight, pool, priority, timeout_ms, save_success, save_failure, triggers, limits, limit_keys, epoch)
      SELECT $1, $2, $3, $4, s.revision, c.revision, $7, $8, $9, $10, $11, $12, $13, $14, $15, nextval('millrace.route_epoch')
      FROM millrace.revision s LEFT JOIN millrace.revision c ON c.revision = decode($6, 'hex')
      WHERE s.revision = decode($5, 'hex') AND s.namespace = $1 AND s.workflow = $2 AND (c.revision IS NULL) = ($6 IS NULL)
      FOR KEY SHARE OF s
      ON CONFLICT (namespace, workflow) DO UPDATE SET uid = EXCLUDED.uid, active = EXCLUDED.active, stable = EXCLUDED.stable, canary = EXCLUDED.canary,
        weight = EXCLUDED.weight, pool = EXCLUDED.pool, priority = EXCLUDED.priority, timeout_ms = EXCLUDED.timeout_ms,
        save_success = EXCLUDED.save_success, save_failure = EXCLUDED.save_failure, triggers = EXCLUDED.triggers, limits = EXCLUDED.limits,
        limit_keys = EXCLUDED.limit_keys, epoch = EXCLUDED.epoch
      RETURNING r.epoch
    ), wanted AS (
      SELECT method, path FROM written, unnest($16::text[], $17::text[]) AS claims(method, path)
    ), unclaimed AS (
      DELETE FROM millrace.webhook w USING written WHERE w.namespace = $1 AND w.workflow = $2
        AND NOT EXISTS (SELECT FROM wanted WHERE wanted.method = w.method AND wanted.path = w.path)
    ), claimed AS (
      INSERT INTO millrace.webhook (namespace, workflow, method, path) SELECT $1, $2, method, path FROM wanted
      WHERE NOT EXISTS (SELECT FROM millrace.webhook w WHERE w.namespace = $1 AND w.method = wanted.method AND w.path = wanted.path AND w.workflow = $2)
    )
    SELECT epoch, pg_notify('${channel.routes}', $1 || '/' || $2) FROM written`,
};

/** The transaction that removes a route tells it. */
const TELL: Statement = { name: 'route-tell', text: `SELECT pg_notify('${channel.routes}', $1)` };

const REMOVE: Statement = { name: 'route-remove', text: 'DELETE FROM millrace.route WHERE namespace = $1 AND workflow = $2 AND uid = $3 RETURNING 1 AS gone' };

const FORGET_DATA: Statement = { name: 'static-data-forget', text: 'DELETE FROM millrace.static_data WHERE namespace = $1 AND workflow = $2' };

function toRoute(row: RouteRow): Route {
  return {
    namespace: row.namespace, workflow: row.workflow, uid: row.uid, active: row.active, stable: row.stable,
    ...(row.canary !== null && { canary: row.canary }),
    weight: row.weight, pool: row.pool, priority: row.priority,
    ...(row.timeout_ms !== null && { timeoutMs: row.timeout_ms }),
    save: { success: row.save_success, failure: row.save_failure },
    triggers: decodePayload(row.triggers) as RouteTrigger[],
    ...(row.limits !== null && { limits: row.limits }),
    epoch: row.epoch,
  };
}

/** Paths that match the same requests get the same text. */
export function claimedPath(path: string): string {
  return path.split('/').map((segment) => (segment.startsWith(':') ? ':' : segment)).join('/');
}

/** Webhooks and forms that an active route claims, each once. Forms are apart from webhooks, under a method that there is not. */
export function claimsOf(route: RouteSpec): { method: string; path: string }[] {
  if (!route.active) return [];
  const claiming = route.triggers.flatMap((trigger) => {
    if (trigger.kind === 'Form') return [{ method: 'FORM', path: trigger.path }];
    return trigger.kind === 'Webhook' ? [trigger] : [];
  });
  const claims = new Map(claiming.map(({ method, path }) => [`${method} ${claimedPath(path)}`, { method, path: claimedPath(path) }]));
  return [...claims.values()];
}

function isSame(route: Route, spec: RouteSpec): boolean {
  return canonicalJson(route) === canonicalJson({ ...spec, weight: spec.weight ?? 0, epoch: route.epoch });
}

type ReadRow = { taken: { method: string; path: string; workflow: string }[] } & (RouteRow | { namespace: null });

/** The route in force, and the claims of others on what is wanted. */
async function read(transaction: Transaction, { namespace, workflow }: WorkflowKey, wanted: readonly string[][]): Promise<{ before?: Route; conflicts: RouteConflict[] }> {
  const [row] = await transaction.query<ReadRow>(READ, [namespace, workflow, ...wanted]);
  if (row === undefined) return { conflicts: [] };
  const conflicts = row.taken.map(({ method, path, workflow: owner }) => ({ method, path, owner: { namespace, workflow: owner } }));
  return row.namespace === null ? { conflicts } : { before: toRoute(row), conflicts };
}

/** One transaction of few statements: the status of the Workflow waits for each of their ways to the database and back. */
async function write(transaction: Transaction, spec: RouteSpec, definition: WorkflowDefinition | undefined): Promise<RouteApplied> {
  const { namespace, workflow, uid } = spec;
  const claims = claimsOf(spec);
  const wanted = [claims.map(({ method }) => method), claims.map(({ path }) => path)];
  await transaction.query(LOCK, [namespace]);
  if (definition !== undefined) await putRevision(transaction, { namespace, workflow, uid, definition });
  const { before, conflicts } = await read(transaction, spec, wanted);
  if (before !== undefined && isSame(before, spec)) return { changed: false, epoch: before.epoch, conflicts: [] };
  if (conflicts.length > 0) return { changed: false, epoch: before?.epoch ?? 0, conflicts };
  if (before !== undefined && before.uid !== uid) await transaction.query(FORGET_DATA, [namespace, workflow]);
  const [after] = await transaction.query<{ epoch: number }>(WRITE, [...await columnsOf(spec), ...wanted]);
  if (after === undefined) {
    throw new StoreError(StoreReason.RevisionNotFound, `Revision ${spec.stable}${spec.canary === undefined ? '' : ` or ${spec.canary}`} of ${namespace}/${workflow} is not stored: put it first`);
  }
  if ([spec, before].some(hasSchedule)) await registerSchedules(transaction, spec);
  return { changed: true, epoch: after.epoch, conflicts: [] };
}

async function columnsOf(spec: RouteSpec): Promise<unknown[]> {
  return [
    spec.namespace, spec.workflow, spec.uid, spec.active, spec.stable, spec.canary ?? null, spec.weight ?? 0, spec.pool, spec.priority, spec.timeoutMs ?? null,
    spec.save.success, spec.save.failure, await encodePayload(spec.triggers),
    spec.limits === undefined ? null : JSON.stringify(spec.limits), limitKeysOf(spec.limits) ?? null,
  ];
}

function hasSchedule(route: RouteSpec | undefined): boolean {
  return route?.triggers.some(({ kind }) => kind === 'Schedule') === true;
}

export function createRoutes({ database, notifications, onError }: { database: Database; notifications: Notifications; onError(error: unknown): void }): Routes {
  const get = async ({ namespace, workflow }: WorkflowKey): Promise<Route | undefined> => {
    const [row] = await database.query<RouteRow>(GET, [namespace, workflow]);
    return row && toRoute(row);
  };
  const list = async (): Promise<Route[]> => (await database.query<RouteRow>(LIST)).map(toRoute);
  const stamp = async (): Promise<RouteStamp> => {
    const [found] = await database.query<RouteStamp>(STAMP);
    return found ?? { routes: 0, epochs: 0 };
  };
  return {
    get,
    list,
    apply: async (spec, definition) => database.transaction(async (transaction) => write(transaction, spec, definition)),
    async remove({ namespace, workflow, uid }) {
      return database.transaction(async (transaction) => {
        await transaction.query(LOCK, [namespace]);
        const gone = await transaction.query(REMOVE, [namespace, workflow, uid]);
        if (gone.length === 0) return false;
        await transaction.query(FORGET_DATA, [namespace, workflow]);
        await transaction.query(TELL, [`${namespace}/${workflow}`]);
        return true;
      });
    },
    watch: async (listener) => watchRoutes({ get, list, stamp, notifications, onError }, listener),
  };
}
