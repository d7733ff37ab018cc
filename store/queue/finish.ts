import type { ErrorRecord } from '../../runner/engine/item.ts';
import type { ExecutionResult, StaticDataChanges } from '../../runner/engine/node-run.ts';
import type { Database, Statement } from '../database.ts';
import { StoreError, StoreReason } from '../error.ts';
import type { Reply } from '../executions.ts';
import { type Brief, countRuns, encodeRuns, searchableOf } from '../history.ts';
import type { EndedExecution, FinishWrite } from '../lease.ts';
import type { Notifications } from '../notifications.ts';
import { encodePayload, pack, storableText } from '../payload.ts';
import type { Payloads } from '../payloads.ts';
import { Keep } from '../route.ts';
import { type Ended, tellEnded, tellWoken } from './ended.ts';
import { passOn } from './gates.ts';
import { HELD, leaseColumns, lostIds } from './held.ts';

/**
 * Moves executions from the queue to the history. Static data is written by the last of several executions of one workflow that end in the same batch.
 */
const FINISH: Statement = {
  name: 'finish',
  text: `
    WITH input AS (
      SELECT * FROM unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::int[], $7::int[], $8::int[], $9::int[], $10::int[], $11::int[], $17::text[])
        AS i(id, fence, status, kept, brief, brief_length, response, response_length, data, data_length, words)
    ), gone AS (
      DELETE FROM millrace.queue q USING input i WHERE ${HELD} RETURNING q.*
    ), forgotten AS (
      DELETE FROM millrace.checkpoint k USING gone WHERE k.execution_id = gone.id
    ), history AS (
      INSERT INTO millrace.execution (id, namespace, workflow, uid, revision, mode, status, pool, priority, created_at, started_at, fence, crashes, runner,
        parent, workflow_run, kept, brief, response, data, words)
      SELECT g.id, g.namespace, g.workflow, g.uid, g.revision, g.mode, i.status, g.pool, g.priority, g.created_at, g.started_at, g.fence, g.crashes, g.runner,
        g.parent, g.workflow_run, i.kept, substring($1::bytea FROM i.brief FOR i.brief_length),
        coalesce(g.response, substring($1::bytea FROM i.response FOR i.response_length)), substring($1::bytea FROM i.data FOR i.data_length), array_to_tsvector(string_to_array(i.words, ' '))
      FROM gone g JOIN input i USING (id)
    ), kept AS (
      INSERT INTO millrace.static_data (namespace, workflow, scope, data)
      SELECT DISTINCT ON (r.namespace, r.workflow, s.scope) r.namespace, r.workflow, s.scope, substring($1::bytea FROM s.start FOR s.length)
      FROM unnest($12::uuid[], $13::text[], $14::int[], $15::int[], $16::text[]) WITH ORDINALITY AS s(id, scope, start, length, workflow, position) JOIN gone g USING (id)
      JOIN millrace.route r ON r.namespace = g.namespace AND r.workflow = coalesce(s.workflow, g.workflow)
      ORDER BY r.namespace, r.workflow, s.scope, s.position DESC
      ON CONFLICT (namespace, workflow, scope) DO UPDATE SET data = EXCLUDED.data
    )
    SELECT id, reply_to, workflow_run, response IS NOT NULL AS answered, ${passOn('gone')} AS woken FROM gone`,
};

/** What is in the history with the same fence was moved there by a try whose answer got lost. */
const MOVED: Statement = {
  name: 'finish-moved',
  text: 'SELECT e.id FROM millrace.execution e JOIN unnest($1::uuid[], $2::int[]) AS i(id, fence) ON e.id = i.id AND e.fence = i.fence',
};

interface Row extends Ended {
  /** The answer was sent before the end, and is not the one of the result. */
  answered: boolean;
}

interface Encoded {
  write: FinishWrite;
  kept: Keep;
  brief: Buffer;
  response: Buffer | undefined;
  data: Uint8Array | undefined;
  scopes: { workflow: string | null; scope: string; data: Buffer }[];
}

export function keptOf({ result, save }: FinishWrite): Keep {
  return result.status === 'Succeeded' ? save.success : save.failure;
}

/** Node runs as the history is to hold them, for what is kept of them. */
type DataOf = (result: EndedExecution, kept: Keep, executionId: string) => Promise<Uint8Array | undefined>;

const dataIn = (payloads: Pick<Payloads, 'keep'>): DataOf => async ({ runs, encodedRuns }, kept, executionId) => {
  if (encodedRuns) return encodedRuns.data && payloads.keep(encodedRuns.data, 'kept', executionId);
  return kept === Keep.None ? undefined : payloads.keep(await encodeRuns(runs, kept), 'kept', executionId);
};

async function encode(write: FinishWrite, dataOf: DataOf): Promise<Encoded> {
  const { result, executionId } = write;
  const kept = keptOf(write);
  const scopes = write.keepStaticData === false ? [] : scopesOf(result);
  try {
    return {
      write, kept,
      brief: await encodePayload(briefOf(result)),
      response: result.response && await encodePayload(result.response),
      data: await dataOf(result, kept, executionId),
      scopes: await Promise.all(scopes.map(async ({ data, ...scope }) => ({ ...scope, data: await encodePayload(data) }))),
    };
  } catch (error) {
    if (!(error instanceof StoreError && error.code === StoreReason.PayloadRefused)) throw error;
    // What cannot be kept must not keep its neighbours in the batch from ending, nor itself.
    const refusal: ErrorRecord = { code: error.code, message: error.message };
    const { runs, encodedRuns } = result;
    const failed: EndedExecution = { status: 'Failed', error: result.error ?? refusal, runs, ...(result.compensated !== undefined && { compensated: result.compensated }), ...(encodedRuns && { encodedRuns }) };
    // Encoded runs have been small enough; others may be what was refused.
    const rest = kept === Keep.None || encodedRuns ? kept : Keep.Summary;
    return { write: { ...write, result: failed }, kept: rest, brief: await encodePayload(briefOf(failed)), response: undefined, data: await dataOf(failed, rest, executionId), scopes: [] };
  }
}

function briefOf({ error, lastNode, compensated, runs, encodedRuns }: EndedExecution): Brief {
  return { counts: encodedRuns?.counts ?? countRuns(runs), ...(error && { error }), ...(lastNode !== undefined && { lastNode }), ...(compensated !== undefined && { compensated }) };
}

function replyOf(executionId: string, result: EndedExecution | undefined): Reply | undefined {
  if (!result) return undefined;
  const { status, response, error, lastNode } = result;
  return { executionId, status, ...(response && { response }), ...(error && { error }), ...(lastNode !== undefined && { lastNode }) };
}

interface ScopeOf {
  /** Null for the execution's own workflow, else the name of one of its namespace. */
  workflow: string | null;
  /** Empty for `global`, else the name of a node. */
  scope: string;
  data: unknown;
}

function scopesOf({ staticData, otherStaticData = {} }: ExecutionResult): ScopeOf[] {
  const others = Object.entries(otherStaticData).flatMap(([id, changes]) => changedScopes(id.slice(id.lastIndexOf('/') + 1), changes));
  return [...changedScopes(null, staticData ?? {}), ...others];
}

function changedScopes(workflow: string | null, { global, nodes = {} }: StaticDataChanges): ScopeOf[] {
  const ofNodes = Object.entries(nodes).map(([scope, data]) => ({ workflow, scope, data }));
  return global === undefined ? ofNodes : [{ workflow, scope: '', data: global }, ...ofNodes];
}

export function createFinish(database: Database, notifications: Notifications, payloads: Pick<Payloads, 'keep'>): (writes: readonly FinishWrite[]) => Promise<string[]> {
  const dataOf = dataIn(payloads);
  return async (writes) => {
    if (writes.length === 0) return [];
    const encoded = await Promise.all(writes.map(async (write) => encode(write, dataOf)));
    const scopes = encoded.flatMap(({ write, scopes }) => scopes.map((scope) => ({ ...scope, id: write.executionId })));
    const { blob, starts, lengths } = pack([
      ...encoded.map(({ brief }) => brief), ...encoded.map(({ response }) => response), ...encoded.map(({ data }) => data), ...scopes.map(({ data }) => data),
    ]);
    const part = (column: readonly (number | null)[], n: number): (number | null)[] => column.slice(n * encoded.length, (n + 1) * encoded.length);
    const rows = await database.query<Row>(FINISH, [
      blob, ...leaseColumns(writes), encoded.map(({ write }) => write.result.status), encoded.map(({ kept }) => kept),
      ...[0, 1, 2].flatMap((n) => [part(starts, n), part(lengths, n)]),
      scopes.map(({ id }) => id), scopes.map(({ scope }) => storableText(scope)), starts.slice(3 * encoded.length), lengths.slice(3 * encoded.length),
      scopes.map(({ workflow }) => workflow), encoded.map(({ write }) => searchableOf(write.result.error) ?? null),
    ]);
    const results = new Map(encoded.map(({ write }) => [write.executionId, write.result]));
    tellEnded(notifications, rows, ({ id, answered }) => (id === null || answered ? undefined : replyOf(id, results.get(id))));
    tellWoken(notifications, rows);
    const missing = new Set(lostIds(writes, rows));
    if (missing.size === 0) return [];
    const unsure = writes.filter(({ executionId }) => missing.has(executionId));
    return lostIds(unsure, await database.query<{ id: string }>(MOVED, leaseColumns(unsure)));
  };
}
