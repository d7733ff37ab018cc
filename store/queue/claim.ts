import type { Checkpoint, WebhookResponse } from '../../runner/engine/node-run.ts';
import type { Database, Statement } from '../database.ts';
import type { Claim, Claimed, ClaimOptions, Resume } from '../lease.ts';
import { decodePayload } from '../payload.ts';
import type { Trigger } from '../request.ts';
import type { Keep } from '../route.ts';
import { toStaticData } from '../static-data.ts';
import { type ClaimedPayloads, namesObjects, type ReadClaims } from './claim-payloads.ts';
import { lookAfter } from './gates.ts';

/** With a renewal every fifth of it, in which others also look for leases that are over, work of a dead runner goes on elsewhere within 10 s. */
export const LEASE_MS = 8000;
/** So much longer an execution seems to have waited to a runner that has run its revision before: nobody waits longer than that for others, and a step of priority is far more. */
const WARM_MS = 250;

interface Row extends ClaimedPayloads, Pick<Claim, 'namespace' | 'workflow' | 'uid' | 'revision' | 'mode' | 'priority' | 'crashes'> {
  next_ms: number | null;
  save_success: Keep;
  save_failure: Keep;
  parent: string | null;
  workflow_run: string | null;
  response: Buffer | null;
  remaining_ms: number | null;
  canceled: boolean;
  created_at: number;
  scopes: string[] | null;
  static_data: Buffer[] | null;
}

/** The one row of a claim that found nothing. */
interface Nothing {
  id: null;
  next_ms: number | null;
}

/** How a pool lets itself be claimed from: by anybody at any time, by one after the other under its limits, or not at all. */
type Access = 'Free' | 'Limited' | 'Paused';

interface AccessRow {
  access: Access;
}

const ACCESS = `CASE WHEN p.paused OR p.held THEN 'Paused' WHEN p.max_running IS NOT NULL OR p.namespace_max_running IS NOT NULL THEN 'Limited' ELSE 'Free' END`;

/** Delayed work becomes ready; the next claim sees it. */
export const dueOf = (limit: string): string => `
      UPDATE millrace.queue SET state = CASE WHEN gate IS NULL OR fence > 0 THEN 'Ready' ELSE 'Blocked' END, run_at = NULL, wait_node = NULL,
        resume = CASE WHEN wait_node IS NULL THEN resume ELSE convert_to(json_build_object('node', wait_node, 'cause', 'timeout')::text, 'UTF8') END
      WHERE id IN (
        SELECT id FROM millrace.queue WHERE pool = $1 AND state IN ('Delayed', 'Waiting') AND run_at <= now() ORDER BY run_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING CASE WHEN state = 'Blocked' THEN gate END AS gate`;

/** The part of a recursive WITH that finds the namespaces with ready work in pool $1 by jumping through the index. */
export const tenantsOf = (condition = 'true'): string => `tenant AS (
      (SELECT namespace FROM millrace.queue WHERE pool = $1 AND state = 'Ready' AND ${condition} ORDER BY namespace LIMIT 1)
      UNION ALL
      SELECT (SELECT q.namespace FROM millrace.queue q WHERE q.pool = $1 AND q.state = 'Ready' AND q.namespace > tenant.namespace ORDER BY q.namespace LIMIT 1)
      FROM tenant WHERE tenant.namespace IS NOT NULL
    )`;

const OF_SHARE = `q.pool = $1 AND q.state = 'Ready' AND q.namespace = share.namespace`;

/** The first of a namespace's share. */
const FIRST = `SELECT q.id FROM millrace.queue q WHERE ${OF_SHARE} ORDER BY q.rank LIMIT share.n FOR UPDATE SKIP LOCKED`;

/**
 * The same, as if those of revisions $5 had waited a little longer. It looks at twice as many as it takes, and finds too few when others are just taking
 * these: whoever gets fewer than asked for asks again without.
 */
const WARM_FIRST = `
        SELECT q.id FROM (
          SELECT q.id, q.rank - CASE WHEN q.revision = ANY($5::bytea[]) THEN ${WARM_MS} ELSE 0 END * interval '1 ms' AS rank
          FROM millrace.queue q WHERE ${OF_SHARE} ORDER BY q.rank LIMIT 2 * share.n) near JOIN millrace.queue q USING (id)
        WHERE ${OF_SHARE} ORDER BY near.rank LIMIT share.n FOR UPDATE OF q SKIP LOCKED`;

/**
 * Turn: the first ready executions of each namespace are numbered from what that namespace has running on this runner already; those with
 * the lowest numbers decide how many each namespace gets. Picked: so many are locked, passing over those other runners are just taking.
 * The cost is that of namespaces and claims, not of the queue.
 */
const pickInTurn = ({ access, turns, take, first }: { access: Access; turns: string; take: string; first: string }): string => `${tenantsOf(`(SELECT access FROM pool) = '${access}'`)}, held AS (
      SELECT namespace, count(*) AS n FROM millrace.queue WHERE runner = $2 AND state = 'Running' GROUP BY namespace
    ), turn AS (
      SELECT tenant.namespace, head.rank, coalesce(held.n, 0) + row_number() OVER (PARTITION BY tenant.namespace ORDER BY head.rank) AS turn
      FROM tenant LEFT JOIN held USING (namespace)
      CROSS JOIN LATERAL (
        SELECT q.rank FROM millrace.queue q WHERE q.pool = $1 AND q.state = 'Ready' AND q.namespace = tenant.namespace ORDER BY q.rank LIMIT ${turns}) head
    ), share AS (
      SELECT namespace, count(*) AS n FROM (SELECT namespace FROM turn ORDER BY turn, rank LIMIT ${take}) first GROUP BY namespace
    ), picked AS (
      SELECT head.id FROM share CROSS JOIN LATERAL (${first}) head
    )`;

/** Of a runner that is there for one execution. */
const PICK_ONE = `picked AS (
      SELECT q.id FROM millrace.queue q WHERE q.id = $5::uuid AND q.pool = $1 AND q.state = 'Ready' AND (SELECT access FROM pool) <> 'Paused' FOR UPDATE SKIP LOCKED
    )`;

/** Due work is made ready, some is picked, and claimed: theirs is the next fence. All in one statement. */
function claimStatement(name: string, pick: string): Statement {
  return {
    name,
    text: `
    WITH RECURSIVE pool AS (
      SELECT ${ACCESS} AS access FROM (SELECT $1::text AS name) own LEFT JOIN millrace.pool p USING (name)
    ), lease AS (
      INSERT INTO millrace.runner (name, pool, expires_at) VALUES ($2, $1, now() + $4 * interval '1 ms')
      ON CONFLICT (name) DO UPDATE SET pool = EXCLUDED.pool, expires_at = EXCLUDED.expires_at
    ), due AS (${dueOf('$3')}
    ), ${pick}, claimed AS (
      UPDATE millrace.queue q SET state = 'Running', runner = $2, fence = q.fence + 1, claimed_at = now(), started_at = coalesce(q.started_at, now())
      FROM picked WHERE q.id = picked.id
      RETURNING q.*
    )
    SELECT next.ms AS next_ms, (SELECT access FROM pool) AS access, ${lookAfter('due')} AS woken, c.id, c.namespace, c.workflow, c.uid, encode(c.revision, 'hex') AS revision, c.mode, c.priority, c.fence, c.crashes, c.save_success, c.save_failure,
      c.parent, c.workflow_run, c.trigger, c.resume, c.response, c.canceled,
      (c.timeout_ms - extract(epoch FROM now() - c.started_at) * 1000)::float8 AS remaining_ms, extract(epoch FROM c.created_at)::float8 * 1000 AS created_at,
      CASE WHEN c.fence > 1 THEN (SELECT array_agg(k.data ORDER BY k.sequence) FROM millrace.checkpoint k WHERE k.execution_id = c.id) END AS checkpoints,
      s.scopes, s.data AS static_data
    FROM (
      SELECT (SELECT greatest(0, extract(epoch FROM run_at - now()) * 1000)::float8 FROM millrace.queue
        WHERE pool = $1 AND state IN ('Delayed', 'Waiting') AND run_at IS NOT NULL ORDER BY run_at LIMIT 1) AS ms) next
    LEFT JOIN claimed c ON true
    LEFT JOIN LATERAL (
      SELECT array_agg(scope) AS scopes, array_agg(data) AS data FROM millrace.static_data s WHERE s.namespace = c.namespace AND s.workflow = c.workflow) s ON true
    ORDER BY c.rank, c.id`,
  };
}

const CLAIM = claimStatement('claim', pickInTurn({ access: 'Free', turns: '$3', take: '$3', first: FIRST }));
const CLAIM_WARM = claimStatement('claim-warm', pickInTurn({ access: 'Free', turns: '$3', take: '$3', first: WARM_FIRST }));
const CLAIM_ONE = claimStatement('claim-one', PICK_ONE);

/** Held to the end of the transaction, so that what runs can only get less until the claim has counted and taken. */
const LOCK: Statement = {
  name: 'claim-lock',
  text: 'SELECT 1 AS locked FROM millrace.pool WHERE name = $1 FOR UPDATE',
};

/** What the pool runs is what its runners own; a runner is told of with its first claim. */
const RUNNING = `millrace.queue r JOIN millrace.runner owner ON owner.name = r.runner AND r.state = 'Running' WHERE owner.pool = $1`;

const CLAIM_LIMITED = claimStatement('claim-limited', pickInTurn({
  access: 'Limited',
  turns: `(SELECT greatest(0, least($3, coalesce(p.namespace_max_running, $3) - (SELECT count(*) FROM ${RUNNING} AND r.namespace = tenant.namespace))) FROM millrace.pool p WHERE p.name = $1)`,
  take: `(SELECT greatest(0, least($3, coalesce(p.max_running, $3) - (SELECT count(*) FROM ${RUNNING}))) FROM millrace.pool p WHERE p.name = $1)`,
  first: FIRST,
}));

function toClaim(row: Row): Claim {
  const { namespace, workflow, uid, revision, mode, priority, fence, crashes } = row;
  return {
    namespace, workflow, uid, revision, mode, priority, fence, crashes,
    executionId: row.id,
    trigger: decodePayload(row.trigger) as Trigger,
    checkpoints: (row.checkpoints ?? []).map((bytes) => decodePayload(bytes) as Checkpoint),
    staticData: toStaticData(row.scopes ?? [], row.static_data ?? []),
    save: { success: row.save_success, failure: row.save_failure },
    createdAt: row.created_at,
    ...(row.resume !== null && { resume: decodePayload(row.resume) as Resume }),
    ...(row.response !== null && { response: decodePayload(row.response) as WebhookResponse }),
    ...(row.remaining_ms !== null && { remainingMs: row.remaining_ms }),
    ...(row.canceled && { canceled: true }),
    ...(row.parent !== null && { parent: row.parent }),
    ...(row.workflow_run !== null && { workflowRun: row.workflow_run }),
  };
}

export function createClaim(database: Database, read: ReadClaims): (options: ClaimOptions) => Promise<Claimed> {
  /** Pools that were limited when last claimed from. The statement says when that has changed, and then takes nothing. */
  const limited = new Set<string>();

  async function take(pool: string, values: readonly unknown[], warm: readonly Buffer[]): Promise<(AccessRow & (Row | Nothing))[]> {
    if (!limited.has(pool)) return warm.length === 0 ? database.query(CLAIM, values) : database.query(CLAIM_WARM, [...values, warm]);
    return database.transaction(async (transaction) => {
      await transaction.query(LOCK, [pool]);
      return transaction.query(CLAIM_LIMITED, values);
    });
  }

  return async ({ pool, runner, limit, leaseMs = LEASE_MS, executionId, warm = [] }) => {
    const values = [pool, runner, limit, leaseMs];
    if (executionId !== undefined) return toClaimed(await database.query(CLAIM_ONE, [...values, executionId]), limit, read);
    // Tried again after a lost answer it claims others; what the first try claimed goes back because the runner does not list it in `renew`.
    const wasLimited = limited.has(pool);
    const preferred = warm.map((revision) => Buffer.from(revision, 'hex'));
    let rows = await take(pool, values, preferred);
    const isLimited = rows[0]?.access === 'Limited';
    if (rows[0]?.access !== 'Paused' && isLimited !== wasLimited) {
      if (isLimited) limited.add(pool);
      else limited.delete(pool);
      rows = await take(pool, values, preferred);
    }
    return toClaimed(rows, limit, read);
  };
}

async function toClaimed(rows: readonly (Row | Nothing)[], limit: number, read: ReadClaims): Promise<Claimed> {
  const claimed = rows.filter((row): row is Row => row.id !== null);
  const claims = (claimed.some(namesObjects) ? await read(claimed) : claimed).map(toClaim);
  const nextMs = rows[0]?.next_ms ?? null;
  return claims.length < limit && nextMs !== null ? { claims, nextMs } : { claims };
}
