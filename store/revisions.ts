import { createHash } from 'node:crypto';
import type { WorkflowDefinition } from '../runner/engine/workflow.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Database, Statement, Transaction } from './database.ts';
import { StoreError, StoreReason } from './error.ts';
import { decodePayload, encodePayload } from './payload.ts';
import type { WorkflowKey } from './route.ts';

export interface NewRevision extends WorkflowKey {
  uid: string;
  definition: WorkflowDefinition;
}

/** Stored definitions, named by the SHA-256 of their canonical JSON. */
export interface Revisions {
  /** Idempotent. `created`: it was not there before. */
  put(revision: NewRevision): Promise<{ revision: string; created: boolean }>;
  get(revision: string): Promise<WorkflowDefinition | undefined>;
  /**
   * Forgets revisions that no route names, no unfinished execution or dead letter needs and that are not among the newest `keep` of their
   * workflow: first it retires them, which refuses them to new executions, and once they have been retired for `retireMs`
   * (default 10 minutes, more than any statement may take) deletes them. Resolves to how many it deleted.
   */
  prune(options: { keep: number; retireMs?: number }): Promise<number>;
}

/** Whether a text can name a revision at all. */
export function isRevision(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Lower-case hex. The definition's `id` holds namespace and name, so no two workflows share a revision. */
export function revisionOf(definition: WorkflowDefinition): string {
  return createHash('sha256').update(canonicalJson(definition)).digest('hex');
}

const PUT: Statement = {
  name: 'revision-put',
  text: `
    INSERT INTO millrace.revision (revision, namespace, workflow, uid, definition) VALUES (decode($1, 'hex'), $2, $3, $4, $5)
    ON CONFLICT (revision) DO UPDATE SET retired_at = NULL WHERE revision.retired_at IS NOT NULL
    RETURNING xmax = 0 AS created`,
};

const GET: Statement = { name: 'revision-get', text: `SELECT definition FROM millrace.revision WHERE revision = decode($1, 'hex')` };

const NEEDED = `
  EXISTS (SELECT FROM millrace.route r WHERE v.revision IN (r.stable, r.canary))
  OR EXISTS (SELECT FROM millrace.queue q WHERE q.revision = v.revision)
  OR EXISTS (SELECT FROM millrace.dead_letter d WHERE d.revision = v.revision)
  OR EXISTS (SELECT FROM millrace.partition p WHERE p.revision = encode(v.revision, 'hex') AND p.result IS NULL)`;

const RETIRE: Statement = {
  name: 'revision-retire',
  text: `
    WITH ranked AS (
      SELECT revision, row_number() OVER (PARTITION BY namespace, workflow ORDER BY created_at DESC) AS age FROM millrace.revision)
    UPDATE millrace.revision v SET retired_at = now() FROM ranked
    WHERE ranked.revision = v.revision AND ranked.age > $1 AND v.retired_at IS NULL AND NOT (${NEEDED})`,
};

const UNRETIRE: Statement = {
  name: 'revision-unretire',
  text: `UPDATE millrace.revision v SET retired_at = NULL WHERE v.retired_at IS NOT NULL AND (${NEEDED})`,
};

const FORGET: Statement = {
  name: 'revision-forget',
  text: `DELETE FROM millrace.revision v WHERE v.retired_at < now() - $1 * interval '1 ms' AND NOT (${NEEDED}) RETURNING 1 AS gone`,
};

async function getRevision(database: Database | Transaction, revision: string): Promise<WorkflowDefinition | undefined> {
  if (!isRevision(revision)) return undefined;
  const [row] = await database.query<{ definition: Buffer }>(GET, [revision]);
  return row === undefined ? undefined : decodePayload(row.definition) as WorkflowDefinition;
}

/** `put`, also as a part of a transaction. */
export async function putRevision(database: Database | Transaction, { namespace, workflow, uid, definition }: NewRevision): ReturnType<Revisions['put']> {
  const revision = revisionOf(definition);
  const [row] = await database.query<{ created: boolean }>(PUT, [revision, namespace, workflow, uid, await encodePayload(definition)]);
  if (row?.created === true) return { revision, created: true };
  const stored = await getRevision(database, revision);
  if (stored === undefined || canonicalJson(stored) !== canonicalJson(definition)) {
    throw new StoreError(StoreReason.RevisionCollision, `The stored revision ${revision} is not the definition of that name: its row was changed`);
  }
  return { revision, created: false };
}

export function createRevisions(database: Database): Revisions {
  return {
    put: async (revision) => putRevision(database, revision),
    get: async (revision) => getRevision(database, revision),
    async prune({ keep, retireMs = 600_000 }) {
      await database.query(UNRETIRE);
      const gone = await database.query<{ gone: number }>(FORGET, [retireMs]);
      await database.query(RETIRE, [keep]);
      return gone.length;
    },
  };
}
