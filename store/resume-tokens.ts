import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import type { Database, Statement } from './database.ts';
import { StoreError, StoreReason } from './error.ts';

/**
 * What makes the address of a waiting execution unguessable to those who know its id, which stands in logs, lists and errors. All
 * parts of an installation agree on it, because the key is in its database.
 */
export interface ResumeTokens {
  /** 32 hex digits, always the same for one execution. */
  of(executionId: string): string;
  /** Whether a text that came from outside is the token of this execution. Takes the same time whatever is wrong with it. */
  matches(executionId: string, token: string): boolean;
}

const TOKEN_DIGITS = 32;
const KEY: Statement = { name: 'resume-key', text: "SELECT key FROM millrace.signing_key WHERE name = 'resume'" };

/** Reads the key. */
export async function loadResumeTokens(database: Database): Promise<ResumeTokens> {
  const [row] = await database.query<{ key: Buffer }>(KEY);
  if (row === undefined) throw new StoreError(StoreReason.StoreFailed, 'The database has no key for resume addresses: restore the row of millrace.signing_key');
  return resumeTokens(row.key);
}

export function resumeTokens(key: Uint8Array): ResumeTokens {
  // Every claim makes a token, and making a key of bytes costs more than the token.
  const secret = createSecretKey(key);
  const of = (executionId: string): string => createHmac('sha256', secret).update(executionId).digest('hex').slice(0, TOKEN_DIGITS);
  return {
    of,
    matches: (executionId, token) => token.length === TOKEN_DIGITS && /^[0-9a-f]*$/.test(token) && timingSafeEqual(Buffer.from(of(executionId)), Buffer.from(token)),
  };
}
