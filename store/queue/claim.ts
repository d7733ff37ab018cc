import type { Checkpoint, WebhookResponse } from '../../runner/engine/node-run.ts';
import type { JsonObject } from '../../runner/engine/item.ts';
import type { Database, Statement } from '../database.ts';
import type { Claim, Claimed, ClaimOptions, Resume } from '../lease.ts';
import { decodePayload } from '../payload.ts';
import type { Trigger } from '../request.ts';
import type { Keep } from '../route.ts';

export const LEASE_MS = 10_000;

interface Row extends Pick<Claim, 'namespace' | 'workflow' | 'uid' | 'revision' | 'mode' | 'priority' | 'fence' | 'crashes'> {
  id: string;
  next_ms: number | null;
  save_success: Keep;
  save_failure: Keep;
  parent: string | null;
  workflow_run: string | null;
  trigger: Buffer;
  resume: Buffer | null;
  response: Buffer | null;
  remaining_ms: number | null;
  created_at: number;
  checkpoints: Buffer[] | null;
  scopes: string[] | null;
  static_data: Buffer[] | null;
}

/** The one row of a claim that found nothing. */
interface Nothing {
  id: null;
  next_ms: number | null;
}

/**
 * Four steps in one statement. Due: delayed work becomes ready (the next claim sees it). Turn: the first ready executions of each
 * namespace are numbered from what that namespace has running on this runner already; those with the lowest numbers decide how many
 * each namespace gets. Picked: so many are locked, passing over those other runners are just taking. Claimed: theirs is the next fence.
 * Namespaces with ready work are found by jumping through the index, so the cost is that of namespaces and claims, not of the queue.
 */
const CLAIM: Statement = {
  name: 'claim',
  text: `
    WITH RECURSIVE lease AS (
      INSERT INTO millrace.runner (name, pool, expires_at) VALUES ($2, $1, now() + $4 * interval '1 ms')
      ON CONFLICT (name) DO UPDATE SET pool = EXCLUDED.pool, expires_at = EXCLUDED.expires_at
    ), due AS (
      UPDATE millrace.queue SET state = 'Ready', run_at = NULL, wait_node = NULL,
        resume = CASE WHEN wait_node IS NULL THEN resume ELSE convert_to(json_build_object('node', wait_node, 'cause', 'timeout')::text, 'UTF8') END
      WHERE id IN (
        SELECT id FROM millrace.queue WHERE pool = $1 AND state IN ('Delayed', 'Waiting') AND run_at <= now() ORDER BY run_at LIMIT $3 FOR UPDATE SKIP LOCKED)
      RETURNING 1
    ), tenant AS (
      (SELECT namespace FROM millrace.queue WHERE pool = $1 AND state = 'Ready' ORDER BY namespace LIMIT 1)
      UNION ALL
      SELECT (SELECT q.namespace FROM millrace.queue q WHERE q.pool = $1 AND q.state = 'Ready' AND q.namespace > tenant.namespace ORDER BY q.namespace LIMIT 1)
      FROM tenant WHERE tenant.namespace IS NOT NULL
    ), held AS (
      SELECT namespace, count(*) AS n FROM millrace.queue WHERE runner = $2 AND state = 'Running' GROUP BY namespace
    ), turn AS (
      SELECT tenant.namespace, head.rank, coalesce(held.n, 0) + row_number() OVER (PARTITION BY tenant.namespace ORDER BY head.rank) AS turn
      FROM tenant LEFT JOIN held USING (namespace)
      CROSS JOIN LATERAL (
        SELECT q.rank FROM millrace.queue q WHERE q.pool = $1 AND q.state = 'Ready' AND q.namespace = tenant.namespace ORDER BY q.rank LIMIT $3) head
    ), share AS (
      SELECT namespace, count(*) AS n FROM (SELECT namespace FROM turn ORDER BY turn, rank LIMIT $3) first GROUP BY namespace
    ), picked AS (
      SELECT head.id FROM share CROSS JOIN LATERAL (
        SELECT q.id FROM millrace.queue q WHERE q.pool = $1 AND q.state = 'Ready' AND q.namespace = share.namespace
        ORDER BY q.rank LIMIT share.n FOR UPDATE SKIP LOCKED) head
    ), claimed AS (
      UPDATE millrace.queue q SET state = 'Running', runner = $2, fence = q.fence + 1, claimed_at = now(), started_at = coalesce(q.started_at, now())
      FROM picked WHERE q.id = picked.id
      RETURNING q.*
    )
    SELECT next.ms AS next_ms, c.id, c.namespace, c.workflow, c.uid, encode(c.revision, 'hex') AS revision, c.mode, c.priority, c.fence, c.crashes, c.save_success, c.save_failure,
      c.parent, c.workflow_run, c.trigger, c.resume, c.response,
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

function toStaticData(scopes: readonly string[], data: readonly Buffer[]): Claim['staticData'] {
  const staticData: Claim['staticData'] = { global: {}, nodes: {} };
  scopes.forEach((scope, index) => {
    const bytes = data[index];
    if (bytes === undefined) return;
    const value = decodePayload(bytes) as JsonObject;
    if (scope === '') staticData.global = value;
    else staticData.nodes[scope] = value;
  });
  return staticData;
}

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
    ...(row.parent !== null && { parent: row.parent }),
    ...(row.workflow_run !== null && { workflowRun: row.workflow_run }),
  };
}

export function createClaim(database: Database): (options: ClaimOptions) => Promise<Claimed> {
  return async ({ pool, runner, limit, leaseMs = LEASE_MS }) => {
    // Tried again after a lost answer it claims others; what the first try claimed goes back because the runner does not list it in `renew`.
    const rows = await database.query<Row | Nothing>(CLAIM, [pool, runner, limit, leaseMs]);
    const claims = rows.filter((row): row is Row => row.id !== null).map(toClaim);
    const nextMs = rows[0]?.next_ms ?? null;
    return claims.length < limit && nextMs !== null ? { claims, nextMs } : { claims };
  };
}
