import type { Database, Statement } from '../database.ts';
import type { CheckpointWrite, ResponseWrite } from '../lease.ts';
import { channel, type Notifications } from '../notifications.ts';
import { encodePayload, pack } from '../payload.ts';
import type { Payloads } from '../payloads.ts';
import { HELD, leaseColumns, lostIds } from './held.ts';

/**
 * The rows of the queue are locked to the end of the transaction, in order, so that nobody can claim them between the comparison and the
 * write. A checkpoint that is there already is the same one, written by a try whose answer got lost. With the checkpoint that begins a wait, what
 * ended the wait before it is over and done with: it must not end this one, too, should the runner die before it parks the execution. From the first
 * run on that compensations undo, a cancel does not just forget the execution.
 */
const CHECKPOINT: Statement = {
  name: 'checkpoint',
  text: `
    WITH input AS (
      SELECT * FROM unnest($2::uuid[], $3::int[], $4::int[], $5::int[], $6::int[], $7::boolean[], $8::boolean[]) AS i(id, fence, sequence, start, length, waits, undoable)
    ), held AS (
      SELECT q.id FROM millrace.queue q JOIN (SELECT DISTINCT id, fence FROM input) i ON ${HELD} ORDER BY q.id FOR UPDATE OF q
    ), written AS (
      INSERT INTO millrace.checkpoint (execution_id, sequence, data)
      SELECT i.id, i.sequence, substring($1::bytea FROM i.start FOR i.length) FROM input i JOIN held USING (id)
      ON CONFLICT DO NOTHING
    ), changed AS (
      UPDATE millrace.queue q SET resume = CASE WHEN i.waits THEN NULL ELSE q.resume END, undoable = q.undoable OR i.undoable
      FROM (SELECT id, fence, bool_or(waits) AS waits, bool_or(undoable) AS undoable FROM input GROUP BY id, fence) i
      WHERE (i.waits AND q.resume IS NOT NULL OR i.undoable AND NOT q.undoable) AND ${HELD}
    )
    SELECT id FROM held`,
};

/** The same for one checkpoint that begins no wait and has nothing to undo, which is what an execution waits for again and again: arrays and joins cost a fifth of it. */
const CHECKPOINT_ONE: Statement = {
  name: 'checkpoint-one',
  text: `
    WITH held AS (
      SELECT q.id FROM millrace.queue q JOIN (SELECT $1::uuid AS id, $2::int AS fence) i ON ${HELD} FOR UPDATE OF q
    ), written AS (
      INSERT INTO millrace.checkpoint (execution_id, sequence, data) SELECT id, $3, $4 FROM held ON CONFLICT DO NOTHING
    )
    SELECT id FROM held`,
};

const RESPOND: Statement = {
  name: 'respond',
  text: `
    UPDATE millrace.queue q SET response = substring($1::bytea FROM i.start FOR i.length)
    FROM unnest($2::uuid[], $3::int[], $4::int[], $5::int[]) AS i(id, fence, start, length) WHERE ${HELD}
    RETURNING q.id, q.reply_to`,
};

export interface Progress {
  checkpoint(writes: readonly CheckpointWrite[]): Promise<string[]>;
  respond(writes: readonly ResponseWrite[]): Promise<string[]>;
}

function isUndoable({ checkpoint: { runs } }: CheckpointWrite): boolean {
  return runs.some(({ undoable }) => undoable === true);
}

export function createProgress(database: Database, notifications: Notifications, payloads: Pick<Payloads, 'encode'>): Progress {
  return {
    async checkpoint(writes) {
      const [first] = writes;
      if (!first) return [];
      if (writes.length === 1 && !first.checkpoint.waiting && !isUndoable(first)) {
        const { executionId, fence, checkpoint } = first;
        return lostIds(writes, await database.query<{ id: string }>(CHECKPOINT_ONE, [executionId, fence, checkpoint.sequence, await payloads.encode(checkpoint, 'live', executionId)]));
      }
      const { blob, starts, lengths } = pack(await Promise.all(writes.map(async ({ executionId, checkpoint }) => payloads.encode(checkpoint, 'live', executionId))));
      const sequences = writes.map(({ checkpoint }) => checkpoint.sequence);
      return lostIds(writes, await database.query<{ id: string }>(CHECKPOINT, [
        blob, ...leaseColumns(writes), sequences, starts, lengths,
        writes.map(({ checkpoint }) => checkpoint.waiting !== undefined), writes.map(isUndoable),
      ]));
    },
    async respond(writes) {
      if (writes.length === 0) return [];
      const { blob, starts, lengths } = pack(await Promise.all(writes.map(async ({ response }) => encodePayload(response))));
      const rows = await database.query<{ id: string; reply_to: string | null }>(RESPOND, [blob, ...leaseColumns(writes), starts, lengths]);
      for (const { id, reply_to: replyTo } of rows) if (replyTo !== null) notifications.send(channel.reply(replyTo), id);
      return lostIds(writes, rows);
    },
  };
}
