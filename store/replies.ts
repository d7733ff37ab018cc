import type { Reply } from './executions.ts';

/** Waits for answers of executions that were enqueued with `replyTo: address`. */
export interface Replies {
  /** Names this process. */
  readonly address: string;
  /**
   * Resolves as soon as the execution has answered or ended, also if it had before. Rejects with the signal's reason.
   * `until: 'finished'` ignores an early answer.
   */
  wait(executionId: string, options: { signal: AbortSignal; until?: 'answered' | 'finished' }): Promise<Reply>;
}
