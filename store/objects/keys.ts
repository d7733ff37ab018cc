import { randomUUID } from 'node:crypto';

/**
 * Keys are KIND/DAY/EXECUTION/NAME, so that what is over can be found by listing little. The day is that of the execution's id, as in the partitions of the
 * history. `live`: of unfinished executions and dead letters, and garbage after that. `kept`: of the history. `files`: of items; they have rows, too.
 */
export type ObjectKind = 'live' | 'kept' | 'files';

const DAY_MS = 86_400_000;

/** First milliseconds of UUIDv7s are those since the epoch. */
function dayOf(executionId: string): string {
  const ms = Number.parseInt(executionId.slice(0, 8) + executionId.slice(9, 13), 16);
  return new Date(ms).toISOString().split('T', 1)[0] ?? '';
}

/** A key that was never given before: what an old listing showed is never what a new row names. */
export function newKey(kind: Exclude<ObjectKind, 'files'>, executionId: string): string {
  return `${kind}/${dayOf(executionId)}/${executionId}/${randomUUID()}`;
}

export function fileKey(executionId: string, id: string): string {
  return `files/${dayOf(executionId)}/${executionId}/${id}`;
}

/** The execution that a key is of; undefined for what nobody here wrote. */
export function executionOf(key: string): string | undefined {
  return /^(?:live|kept|files)\/[^/]+\/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\/[^/]+$/.exec(key)?.[1];
}

/** Whether all of a day, as it stands in keys, is older than so many days at a moment. */
export function isOver(day: string, retentionDays: number, now: number): boolean {
  const end = Date.parse(`${day}T00:00:00Z`) + DAY_MS;
  return end <= Math.floor(now / DAY_MS) * DAY_MS - retentionDays * DAY_MS;
}
