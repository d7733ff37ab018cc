import { randomUUID } from 'node:crypto';
import type { Database, Statement } from './database.ts';
import { decodePayload, encodePayload } from './payload.ts';
import type { RouteTrigger, WorkflowKey } from './route.ts';

/** Somebody who tests a workflow and waits for one call of its webhooks. */
export interface Listener extends WorkflowKey {
  id: string;
  /** What the call executes. */
  revision: string;
  triggers: readonly RouteTrigger[];
}

/** Tests of webhooks, shared by all replicas: the call may come to another one than the person who waits for it. */
export interface Listeners {
  /** Resolves to its id. */
  open(listener: Omit<Listener, 'id'>, options: { ttlMs: number }): Promise<string>;
  /** Those of a namespace that still wait, the newest first. */
  waiting(namespace: string): Promise<Listener[]>;
  /** Takes the one call. Resolves to false when another call has, or the time is over. */
  claim(id: string, executionId: string): Promise<boolean>;
  /** Waits again, because the call could not be accepted. */
  unclaim(id: string): Promise<void>;
  /** The execution that the call started. */
  called(id: string): Promise<string | undefined>;
  close(id: string): Promise<void>;
}

const FORGET: Statement = { name: 'listener-forget', text: "DELETE FROM millrace.listener WHERE expires_at < now() - interval '1 hour'" };

const OPEN: Statement = {
  name: 'listener-open',
  text: `INSERT INTO millrace.listener (id, namespace, workflow, revision, triggers, expires_at)
    VALUES ($1, $2, $3, decode($4, 'hex'), $5, now() + $6 * interval '1 ms') ON CONFLICT (id) DO NOTHING`,
};

const WAITING: Statement = {
  name: 'listener-waiting',
  text: `SELECT id, namespace, workflow, encode(revision, 'hex') AS revision, triggers FROM millrace.listener
    WHERE namespace = $1 AND execution_id IS NULL AND expires_at > now() ORDER BY created_at DESC LIMIT 100`,
};

/** A try whose answer got lost finds its own claim. */
const CLAIM: Statement = {
  name: 'listener-claim',
  text: `UPDATE millrace.listener SET execution_id = $2
    WHERE id = $1 AND (execution_id = $2 OR execution_id IS NULL AND expires_at > now()) RETURNING id`,
};

const UNCLAIM: Statement = { name: 'listener-unclaim', text: 'UPDATE millrace.listener SET execution_id = NULL WHERE id = $1' };
const CALLED: Statement = { name: 'listener-called', text: 'SELECT execution_id FROM millrace.listener WHERE id = $1' };
const CLOSE: Statement = { name: 'listener-close', text: 'DELETE FROM millrace.listener WHERE id = $1' };

export function createListeners(database: Database): Listeners {
  return {
    async open({ namespace, workflow, revision, triggers }, { ttlMs }) {
      const id = randomUUID();
      await database.query(FORGET);
      await database.query(OPEN, [id, namespace, workflow, revision, await encodePayload(triggers), ttlMs]);
      return id;
    },
    async waiting(namespace) {
      const rows = await database.query<Omit<Listener, 'triggers'> & { triggers: Buffer }>(WAITING, [namespace]);
      return rows.map((row) => ({ ...row, triggers: decodePayload(row.triggers) as RouteTrigger[] }));
    },
    claim: async (id, executionId) => (await database.query(CLAIM, [id, executionId])).length > 0,
    async unclaim(id) {
      await database.query(UNCLAIM, [id]);
    },
    async called(id) {
      const [row] = await database.query<{ execution_id: string | null }>(CALLED, [id]);
      return row?.execution_id ?? undefined;
    },
    async close(id) {
      await database.query(CLOSE, [id]);
    },
  };
}
