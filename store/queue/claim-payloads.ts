import type { Database, Statement } from '../database.ts';
import { StoreError, StoreReason } from '../error.ts';
import type { CrashWrite } from '../lease.ts';
import { isReference } from '../objects/reference.ts';
import type { Payloads } from '../payloads.ts';
import { HELD, leaseColumns } from './held.ts';

/** What a claim reads of an execution that may be in object storage. */
export interface ClaimedPayloads {
  id: string;
  fence: number;
  trigger: Buffer;
  resume: Buffer | null;
  checkpoints: Buffer[] | null;
}

/** Resolves to the rows whose payloads could be read, with them in their places; the others are back in the queue. */
export type ReadClaims = <Row extends ClaimedPayloads>(rows: readonly Row[]) => Promise<Row[]>;

/** Less than half of a lease: what can be read must not come too late because of what cannot. */
const READ_MS = 3000;
const DEFER_MS = 10_000;

/** Not a crash: the execution has not started. */
const DEFER: Statement = {
  name: 'claim-defer',
  text: `
    UPDATE millrace.queue q SET state = 'Delayed', runner = NULL, run_at = now() + ${DEFER_MS} * interval '1 ms'
    FROM unnest($1::uuid[], $2::int[]) AS i(id, fence) WHERE ${HELD} RETURNING q.id`,
};

export function namesObjects({ trigger, resume, checkpoints }: ClaimedPayloads): boolean {
  return isReference(trigger) || (resume !== null && isReference(resume)) || (checkpoints !== null && checkpoints.some(isReference));
}

export interface ReadClaimsParts {
  database: Database;
  payloads: Pick<Payloads, 'load'>;
  crash(writes: readonly CrashWrite[]): Promise<unknown>;
  onUnreadable(executionId: string, code: StoreReason): void;
}

/**
 * An execution whose payloads cannot be read now is tried again later, as often as it takes. One whose objects are gone counts as crashed, and is a dead letter in the end:
 * it goes on when they have been restored and it is queued again.
 */
export function readClaims({ database, payloads, crash, onUnreadable }: ReadClaimsParts): ReadClaims {
  async function read<Row extends ClaimedPayloads>(row: Row): Promise<Row> {
    const [trigger, resume, checkpoints] = await Promise.all([
      payloads.load(row.trigger), row.resume && payloads.load(row.resume), row.checkpoints && Promise.all(row.checkpoints.map(async (bytes) => payloads.load(bytes))),
    ]);
    return { ...row, trigger, resume, checkpoints };
  }

  return async (rows) => {
    const outcomes = await Promise.all(rows.map(async (row) => inTime(read(row)).catch((error: unknown) => ({ failed: row, code: codeOf(error) }))));
    const failures = outcomes.flatMap((outcome) => ('failed' in outcome ? [{ executionId: outcome.failed.id, fence: outcome.failed.fence, reason: outcome.code }] : []));
    for (const { executionId, reason } of failures) onUnreadable(executionId, reason);
    const lost = failures.filter(({ reason }) => reason === StoreReason.ObjectMissing);
    const later = failures.filter(({ reason }) => reason !== StoreReason.ObjectMissing);
    await crash(lost);
    if (later.length > 0) await database.query(DEFER, leaseColumns(later));
    return outcomes.flatMap((outcome) => ('failed' in outcome ? [] : [outcome]));
  };
}

function codeOf(error: unknown): StoreReason {
  if (error instanceof StoreError) return error.code;
  throw error;
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => { reject(new StoreError(StoreReason.ObjectStorageUnavailable, 'The object storage did not answer in time')); }, READ_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
