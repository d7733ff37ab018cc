import { ExecutionMode } from '../runner/engine/node-run.ts';
import { type PartitionRequest, type PartitionResult, SKIPPED } from '../runner/engine/partitions.ts';
import type { Database, Statement } from './database.ts';
import type { Lease } from './lease.ts';
import { channel, type Notifications } from './notifications.ts';
import { decodePayload, encodePayload, pack, storableText } from './payload.ts';
import type { Queue } from './queue.ts';
import { RejectReason, type Trigger } from './request.ts';
import type { WorkflowKey } from './route.ts';

/** One run of a node whose items are distributed. */
export interface Distribution extends Omit<PartitionRequest, 'workflow'> {
  lease: Lease;
  workflow: WorkflowKey;
  priority: number;
  /** Milliseconds since the epoch, by the database's clock, after which the execution that distributes is over its time. */
  deadline?: number;
  traceparent?: string;
}

/** Parts of items that executions of their own work on. Every call may be repeated. */
export interface Partitions {
  /**
   * Records what is not recorded yet, and starts the first parts. Resolves to the results in the order of the parts, to undefined while one
   * is missing, and to 'lost' when the lease has ended.
   */
  request(distribution: Distribution): Promise<PartitionResult[] | undefined | 'lost'>;
  /** The first result of a part counts. */
  finish(id: string, result: PartitionResult): Promise<void>;
  /** After an end: starts parts that there is room for now, or ends the batch when too many have failed; wakes the execution that waits for it. */
  advance(id: string): Promise<void>;
  /** Does whatever a process that died has left undone: starts, wakes, counts children that ended without a result as failed, and cancels those nobody waits for. */
  settle(): Promise<void>;
}

/** Batches that one call of `settle` looks at. */
const SETTLED_AT_ONCE = 100;

const REQUEST: Statement = {
  name: 'partition-request',
  text: `
    WITH held AS (
      SELECT q.id FROM millrace.queue q WHERE q.id = $1 AND q.fence = $2 AND q.state = 'Running'
    ), made AS (
      INSERT INTO millrace.partition (id, batch, parent, node, position, namespace, workflow, revision, trigger, priority, max_parallel, max_failures)
      SELECT i.id, $3, h.id, $4, i.position - 1, $5, $6, $7, substring($8::bytea FROM i.start FOR i.length), $9, $10, $11
      FROM held h, unnest($12::text[], $13::int[], $14::int[]) WITH ORDINALITY AS i(id, start, length, position)
      ON CONFLICT (id) DO NOTHING
    )
    SELECT id FROM held`,
};

const RESULTS: Statement = { name: 'partition-results', text: 'SELECT result FROM millrace.partition WHERE batch = $1 AND parent = $2 ORDER BY position' };

const FINISH: Statement = { name: 'partition-finish', text: 'UPDATE millrace.partition SET result = $2, failed = $3 WHERE id = $1 AND result IS NULL' };

/** With more failures than allowed nothing starts; what has not started fails, what runs is canceled. */
const GIVE_UP: Statement = {
  name: 'partition-give-up',
  text: `
    WITH broken AS (
      SELECT batch FROM millrace.partition WHERE batch = $1 GROUP BY batch HAVING count(*) FILTER (WHERE failed) > max(max_failures)
    ), skipped AS (
      UPDATE millrace.partition p SET result = $2, failed = true FROM broken b WHERE p.batch = b.batch AND p.child IS NULL AND p.result IS NULL
    )
    SELECT p.child FROM broken b JOIN millrace.partition p USING (batch) WHERE p.child IS NOT NULL AND p.result IS NULL`,
};

/** Two that ask at the same time get the same parts: a part is started under its id, once. */
const NEXT: Statement = {
  name: 'partition-next',
  text: `
    SELECT n.id, n.parent, n.namespace, n.workflow, n.revision, n.trigger, n.priority
    FROM (SELECT max(max_parallel) - count(*) FILTER (WHERE child IS NOT NULL AND result IS NULL) AS free FROM millrace.partition WHERE batch = $1) room,
      LATERAL (SELECT * FROM millrace.partition WHERE batch = $1 AND child IS NULL AND result IS NULL ORDER BY position LIMIT greatest(room.free, 0)) n
    WHERE EXISTS (SELECT FROM millrace.queue q WHERE q.id = n.parent AND NOT q.canceled)`,
};

const STARTED: Statement = {
  name: 'partition-started',
  text: 'UPDATE millrace.partition p SET child = i.child FROM unnest($1::text[], $2::uuid[]) AS i(id, child) WHERE p.id = i.id AND p.child IS NULL',
};

const BATCH_OF: Statement = { name: 'partition-batch', text: 'SELECT batch FROM millrace.partition WHERE id = $1' };

/** An execution that is still being parked is not Waiting yet: it is found by the next call. Without a batch: whichever is over. */
const WAKE: Statement = {
  name: 'partition-wake',
  text: `
    WITH woken AS (
      UPDATE millrace.queue q SET state = 'Ready', run_at = NULL, wait_node = NULL, resume = NULL, rank = now() - q.priority * interval '30 s'
      FROM millrace.partition s
      WHERE s.position = 0 AND NOT s.told AND ($1::text IS NULL OR s.batch = $1) AND q.id = s.parent AND q.state = 'Waiting'
        AND EXISTS (SELECT FROM millrace.partition w WHERE w.parent = q.id AND w.node = q.wait_node)
        AND NOT EXISTS (SELECT FROM millrace.partition p WHERE p.batch = s.batch AND p.result IS NULL)
      RETURNING q.id, q.pool, s.batch
    ), told AS (
      UPDATE millrace.partition p SET told = true FROM woken w WHERE p.batch = w.batch AND p.position = 0
    )
    SELECT DISTINCT pool FROM woken`,
};

const UNSTARTED: Statement = { name: 'partition-unstarted', text: 'SELECT DISTINCT batch FROM millrace.partition WHERE child IS NULL AND result IS NULL LIMIT $1' };

/** A child writes its result before it ends. */
const LOST: Statement = {
  name: 'partition-lost',
  text: `
    SELECT p.id, p.child FROM millrace.partition p
    WHERE p.child IS NOT NULL AND p.result IS NULL AND NOT EXISTS (SELECT FROM millrace.queue q WHERE q.id = p.child)`,
};

const ORPHANS: Statement = {
  name: 'partition-orphans',
  text: `
    DELETE FROM millrace.partition p WHERE NOT EXISTS (SELECT FROM millrace.queue q WHERE q.id = p.parent)
    RETURNING CASE WHEN p.result IS NULL THEN p.child END AS child`,
};

interface NextRow extends WorkflowKey {
  id: string;
  parent: string;
  revision: string | null;
  trigger: Buffer;
  priority: number;
}

export function createPartitions(parts: { database: Database; notifications: Notifications; queue: Pick<Queue, 'enqueue' | 'cancel'> }): Partitions {
  const { database, notifications, queue } = parts;

  async function finish(id: string, result: PartitionResult): Promise<void> {
    await database.query(FINISH, [id, await encodePayload(result), 'error' in result]);
  }

  async function start(batch: string): Promise<void> {
    const rows = await database.query<NextRow>(NEXT, [batch]);
    const outcomes = await queue.enqueue(rows.map(({ id, parent, namespace, workflow, revision, trigger, priority }) => ({
      namespace, workflow, mode: ExecutionMode.SubWorkflow, parent, idempotencyKey: id, priority, trigger: decodePayload(trigger) as Trigger,
      ...(revision !== null && { revision }),
    })));
    const started = outcomes.flatMap((outcome, index) => (outcome.accepted ? [{ id: rows[index]?.id, child: outcome.id }] : []));
    await database.query(STARTED, [started.map(({ id }) => id), started.map(({ child }) => child)]);
    for (const [index, outcome] of outcomes.entries()) {
      const id = rows[index]?.id;
      // A full queue empties: then `settle` starts it.
      if (id === undefined || outcome.accepted || outcome.reason === RejectReason.QueueFull) continue;
      await finish(id, { error: { code: outcome.reason, message: `The part was not started: ${outcome.reason}.` } });
    }
    if (outcomes.some((outcome) => !outcome.accepted && outcome.reason !== RejectReason.QueueFull)) await advance(batch);
  }

  async function wake(batch: string | null): Promise<void> {
    for (const { pool } of await database.query<{ pool: string }>(WAKE, [batch])) notifications.send(channel.work(pool));
  }

  async function advance(batch: string): Promise<void> {
    const broken = await database.query<{ child: string }>(GIVE_UP, [batch, await encodePayload(SKIPPED)]);
    await queue.cancel(broken.map(({ child }) => child));
    await start(batch);
    await wake(batch);
  }

  return {
    async request({ lease, workflow: { namespace, workflow }, start: node, parts: given, ...rest }) {
      const [first] = given;
      if (!first) return [];
      const { deadline, traceparent, underError } = rest;
      const triggers = pack(await Promise.all(given.map(({ id, items }) => encodePayload({
        node, items, partition: { id, ...(deadline !== undefined && { deadline }) },
        ...(underError && { underError }), ...(traceparent !== undefined && { traceparent }),
      } satisfies Trigger))));
      const [held] = await database.query(REQUEST, [
        lease.executionId, lease.fence, first.id, storableText(rest.node), namespace, workflow, rest.revision ?? null, triggers.blob,
        rest.priority, rest.maxParallel, rest.maxFailures, given.map(({ id }) => id), triggers.starts, triggers.lengths,
      ]);
      if (!held) return 'lost';
      await advance(first.id);
      const rows = await database.query<{ result: Buffer | null }>(RESULTS, [first.id, lease.executionId]);
      const results = rows.flatMap(({ result }) => (result ? [decodePayload(result) as PartitionResult] : []));
      return results.length === given.length ? results : undefined;
    },
    finish,
    async advance(id) {
      const [row] = await database.query<{ batch: string }>(BATCH_OF, [id]);
      if (row) await advance(row.batch);
    },
    async settle() {
      const orphans = await database.query<{ child: string | null }>(ORPHANS);
      await queue.cancel(orphans.flatMap(({ child }) => child ?? []));
      for (const { id, child } of await database.query<{ id: string; child: string }>(LOST)) {
        await finish(id, { error: { code: 'PartitionLost', message: `Execution ${child}, which worked on this part, ended without a result. Look at it.` } });
      }
      for (const { batch } of await database.query<{ batch: string }>(UNSTARTED, [SETTLED_AT_ONCE])) await advance(batch);
      await wake(null);
    },
  };
}
