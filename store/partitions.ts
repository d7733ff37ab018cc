import { ExecutionMode } from '../runner/engine/node-run.ts';
import { type BatchState, itemsIn, type Part, type PartitionBatch, type PartitionResult, type PositionedResult, SKIPPED } from '../runner/engine/partitions.ts';
import type { Database, Statement } from './database.ts';
import type { Lease } from './lease.ts';
import { channel, type Notifications } from './notifications.ts';
import { decodePayload, encodePayload, pack, storableText } from './payload.ts';
import { AWAKE } from './queue/wait.ts';
import type { Queue } from './queue.ts';
import { type EnqueueRequest, RejectReason, type Trigger } from './request.ts';
import type { WorkflowKey } from './route.ts';

/** Parts of one run of a node whose work is distributed. */
export interface PartitionAddition extends Omit<PartitionBatch, 'workflow' | 'definition'> {
  lease: Lease;
  workflow: WorkflowKey;
  parts: readonly Part[];
  priority: number;
  /** Milliseconds since the epoch, by the database's clock, after which the execution that distributes is over its time. */
  deadline?: number;
  traceparent?: string;
}

/** Parts of work that executions of their own do. Every call may be repeated. */
export interface Partitions {
  /** Records parts of a batch that is not sealed. False: the lease has ended. */
  add(addition: PartitionAddition): Promise<boolean>;
  /** So many parts are all there are: the first ones start. Undefined: the lease has ended. */
  seal(lease: Lease, batch: string, limits: { parts: number; maxFailures: number }): Promise<BatchState | undefined>;
  /** How far a sealed batch of an execution is; undefined when there is none. */
  look(batch: string, executionId: string): Promise<BatchState | undefined>;
  /** Of the parts that are over, in order. */
  results(batch: string, executionId: string, which: 'all' | 'failed'): Promise<PositionedResult[]>;
  /** The lines of all parts that are over, in order; holds a few parts at a time. */
  lines(batch: string, executionId: string): AsyncIterable<Uint8Array>;
  /** The first result of a part counts. */
  finish(id: string, result: PartitionResult): Promise<void>;
  /** After an end: starts parts that there is room for now, or ends the batch when too many have failed; wakes the execution that waits for it. */
  advance(id: string): Promise<void>;
  /** Does whatever a process that died has left undone: starts, wakes, counts children that ended without a result as failed, and cancels those nobody waits for. */
  settle(): Promise<void>;
}

/** Batches that one call of `settle` looks at. */
const SETTLED_AT_ONCE = 100;

/** Parts whose lines are in memory at the same time. */
const LINES_AT_ONCE = 4;

const HELD_BY = `SELECT q.id FROM millrace.queue q WHERE q.id = $1 AND q.fence = $2 AND q.state = 'Running'`;

/** What an earlier life of the execution has recorded without sealing it gives way. */
const ADD: Statement = {
  name: 'partition-add',
  text: `
    WITH held AS (${HELD_BY}), made AS (
      INSERT INTO millrace.partition AS p (id, batch, parent, node, position, namespace, workflow, revision, trigger, priority, max_parallel, max_failures, sealed)
      SELECT i.id, $3, h.id, $4, i.position, $5, $6, $7, substring($8::bytea FROM i.start FOR i.length), $9, $10, 0, i.position > 0
      FROM held h, unnest($11::text[], $12::int[], $13::int[], $14::int[]) AS i(id, position, start, length)
      ON CONFLICT (id) DO UPDATE SET trigger = EXCLUDED.trigger, revision = EXCLUDED.revision WHERE p.child IS NULL AND p.result IS NULL
    )
    SELECT id FROM held`,
};

const SEAL: Statement = {
  name: 'partition-seal',
  text: `
    WITH held AS (${HELD_BY}), gone AS (
      DELETE FROM millrace.partition p USING held h WHERE p.batch = $3 AND p.parent = h.id AND p.position >= $4
    ), sealed AS (
      UPDATE millrace.partition p SET sealed = true, max_failures = $5 FROM held h WHERE p.id = $3 AND p.parent = h.id
    )
    SELECT id FROM held`,
};

const LOOK: Statement = {
  name: 'partition-look',
  text: `
    SELECT count(*)::int AS parts, coalesce(sum(p.items), 0)::float8 AS items, count(*) FILTER (WHERE p.failed)::int AS failed, bool_and(p.result IS NOT NULL) AS "isOver"
    FROM millrace.partition head JOIN millrace.partition p ON p.batch = head.id
    WHERE head.id = $1 AND head.parent = $2 AND head.sealed GROUP BY head.id`,
};

const RESULTS: Statement = {
  name: 'partition-results',
  text: 'SELECT position, result FROM millrace.partition WHERE batch = $1 AND parent = $2 AND result IS NOT NULL AND (failed OR NOT $3) ORDER BY position',
};

const LINES: Statement = {
  name: 'partition-lines',
  text: `
    SELECT position, result FROM millrace.partition
    WHERE batch = $1 AND parent = $2 AND position > $3 AND result IS NOT NULL AND NOT failed ORDER BY position LIMIT ${LINES_AT_ONCE}`,
};

const FINISH: Statement = { name: 'partition-finish', text: 'UPDATE millrace.partition SET result = $2, failed = $3, items = $4 WHERE id = $1 AND result IS NULL' };

/** With more failures than allowed nothing starts; what has not started fails, what runs is canceled. */
const GIVE_UP: Statement = {
  name: 'partition-give-up',
  text: `
    WITH broken AS (
      SELECT h.batch FROM millrace.partition h
      WHERE h.id = $1 AND (SELECT count(*) FROM millrace.partition f WHERE f.batch = $1 AND f.failed) > h.max_failures
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
    FROM (
      SELECT h.max_parallel - (SELECT count(*) FROM millrace.partition r WHERE r.batch = $1 AND r.child IS NOT NULL AND r.result IS NULL) AS free
      FROM millrace.partition h WHERE h.id = $1 AND h.sealed) room,
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
      UPDATE millrace.queue q SET ${AWAKE}
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

const UNSTARTED: Statement = {
  name: 'partition-unstarted',
  text: `
    SELECT h.batch FROM millrace.partition h
    WHERE h.position = 0 AND NOT h.told AND h.sealed AND EXISTS (SELECT FROM millrace.partition p WHERE p.batch = h.batch AND p.child IS NULL AND p.result IS NULL)
    LIMIT $1`,
};

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

interface ResultRow {
  position: number;
  result: Buffer;
}

/** A part that runs one node belongs to an execution that the limits of the workflow have let in: waiting for them, it would wait for its own caller. */
function toRequest({ id, parent, namespace, workflow, revision, trigger: bytes, priority }: NextRow): EnqueueRequest {
  const trigger = decodePayload(bytes) as Trigger;
  return {
    namespace, workflow, mode: ExecutionMode.SubWorkflow, parent, idempotencyKey: id, priority, trigger,
    ...(revision !== null && { revision }), ...(trigger.partial?.only !== undefined && { unlimited: true }),
  };
}

function toResult({ position, result }: ResultRow): PositionedResult {
  return { position, result: decodePayload(result) as PartitionResult };
}

export function createPartitions(parts: { database: Database; notifications: Notifications; queue: Pick<Queue, 'enqueue' | 'cancel'> }): Partitions {
  const { database, notifications, queue } = parts;

  async function finish(id: string, result: PartitionResult): Promise<void> {
    await database.query(FINISH, [id, await encodePayload(result), 'error' in result, itemsIn(result)]);
  }

  async function start(batch: string): Promise<void> {
    const rows = await database.query<NextRow>(NEXT, [batch]);
    if (rows.length === 0) return;
    const outcomes = await queue.enqueue(rows.map(toRequest));
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

  async function look(batch: string, executionId: string): Promise<BatchState | undefined> {
    return (await database.query<BatchState>(LOOK, [batch, executionId]))[0];
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
    async add({ lease, workflow: { namespace, workflow }, start: node, parts: given, collect, only, ...rest }) {
      const { deadline, traceparent, underError } = rest;
      const triggers = pack(await Promise.all(given.map((part) => encodePayload({
        node, items: 'items' in part ? part.items : [],
        partition: { id: part.id, ...(deadline !== undefined && { deadline }), ...(collect !== 'items' && { collect }), ...('slice' in part && { slice: part.slice }) },
        ...(only && { partial: { only: node } }), ...(underError && { underError }), ...(traceparent !== undefined && { traceparent }),
      } satisfies Trigger))));
      const [held] = await database.query(ADD, [
        lease.executionId, lease.fence, rest.id, storableText(rest.node), namespace, workflow, rest.revision ?? null, triggers.blob,
        rest.priority, rest.maxParallel, given.map(({ id }) => id), given.map(({ position }) => position), triggers.starts, triggers.lengths,
      ]);
      return held !== undefined;
    },
    async seal({ executionId, fence }, batch, { parts: count, maxFailures }) {
      const [held] = await database.query(SEAL, [executionId, fence, batch, count, maxFailures]);
      if (!held) return undefined;
      await advance(batch);
      return look(batch, executionId);
    },
    look,
    results: async (batch, executionId, which) => (await database.query<ResultRow>(RESULTS, [batch, executionId, which === 'failed'])).map(toResult),
    async* lines(batch, executionId) {
      for (let last = -1; ;) {
        const rows = (await database.query<ResultRow>(LINES, [batch, executionId, last])).map(toResult);
        for (const { position, result } of rows) {
          last = position;
          if ('lines' in result && result.lines !== undefined) yield Buffer.from(result.lines);
        }
        if (rows.length < LINES_AT_ONCE) return;
      }
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
