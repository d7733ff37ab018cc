import type { ExecutionStatus, WebhookResponse } from '../runner/engine/node-run.ts';
import type { Database, Statement } from './database.ts';
import { isExecutionId } from './execution-id.ts';
import { QUEUE_STATUS } from './execution-row.ts';
import type { Reply } from './executions.ts';
import type { Brief } from './history.ts';
import { channel, type Notifications } from './notifications.ts';
import { decodePayload } from './payload.ts';
import { parseReplyMessage } from './reply-message.ts';

export interface WaitOptions {
  signal: AbortSignal;
  /** `finished` ignores an early answer. Default `answered`. */
  until?: 'answered' | 'finished';
}

/** Waits for answers of executions that were enqueued with `replyTo: address`. */
export interface Replies {
  /** Names this process. */
  readonly address: string;
  /** Resolves as soon as the execution has answered or ended, also if it had before. Rejects with the signal's reason. */
  wait(executionId: string, options: WaitOptions): Promise<Reply>;
}

/** Messages are hints: whoever still waits looks so often. */
const LOOK_MS = 1000;
/** Messages may come before anybody waits; so many are remembered. */
const REMEMBERED = 10_000;

const READ: Statement = {
  name: 'replies',
  text: `
    SELECT id, status, response, brief, true AS ended FROM millrace.execution WHERE id = ANY($1::uuid[])
    UNION ALL SELECT id, ${QUEUE_STATUS}, response, NULL, false FROM millrace.queue WHERE id = ANY($1::uuid[]) AND response IS NOT NULL`,
};

interface Row {
  id: string;
  status: ExecutionStatus;
  response: Buffer | null;
  brief: Buffer | null;
  ended: boolean;
}

interface Waiter {
  until: 'answered' | 'finished';
  resolve(reply: Reply): void;
}

function toReply({ id, status, response, brief }: Row): Reply {
  const { error, lastNode }: Brief = brief === null ? {} : decodePayload(brief) as Brief;
  return {
    executionId: id, status,
    ...(response !== null && { response: decodePayload(response) as WebhookResponse }),
    ...(error && { error }),
    ...(lastNode !== undefined && { lastNode }),
  };
}

export class ReplyBox implements Replies {
  readonly address: string;
  readonly #database: Database;
  readonly #onError: (error: unknown) => void;
  readonly #waiting = new Map<string, Set<Waiter>>();
  /** Ids that were heard of before anybody waited, oldest first. */
  readonly #early = new Set<string>();
  readonly #toRead = new Set<string>();
  #reading = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: { database: Database; address: string; onError(error: unknown): void }) {
    this.#database = parts.database;
    this.address = parts.address;
    this.#onError = parts.onError;
  }

  /** Resolves once messages arrive, to a function that ends it. */
  async start(notifications: Notifications): Promise<() => Promise<void>> {
    const stop = await notifications.on(channel.reply(this.address), (notification) => {
      if (notification.kind === 'connected') this.#lookForAll();
      else this.#take(notification.payload.split(','));
    });
    this.#timer = setInterval(() => { this.#lookForAll(); }, LOOK_MS).unref();
    return async () => {
      clearInterval(this.#timer);
      await stop();
    };
  }

  async wait(executionId: string, { signal, until = 'answered' }: WaitOptions): Promise<Reply> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(executionId) ?? new Set();
      const leave = (): void => {
        signal.removeEventListener('abort', onAbort);
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiting.delete(executionId);
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason);
      };
      const waiter: Waiter = { until, resolve: (reply) => { leave(); resolve(reply); } };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(executionId, waiters.add(waiter));
      if (this.#early.delete(executionId)) this.#hear([executionId]);
    });
  }

  /** Messages that bring the reply along need no reading, unless nobody waits yet. */
  #take(messages: readonly string[]): void {
    const unread: string[] = [];
    for (const { id, reply } of messages.map(parseReplyMessage)) {
      if (reply && this.#waiting.has(id)) this.#settle({ reply, ended: true });
      else unread.push(id);
    }
    this.#hear(unread);
  }

  #hear(ids: readonly string[]): void {
    for (const id of ids) {
      if (this.#waiting.has(id)) this.#toRead.add(id);
      else this.#early.add(id);
    }
    for (const id of this.#early) {
      if (this.#early.size <= REMEMBERED) break;
      this.#early.delete(id);
    }
    if (this.#toRead.size > 0 && !this.#reading) void this.#read();
  }

  #lookForAll(): void {
    this.#hear([...this.#waiting.keys()]);
  }

  /** What is heard of while a statement is under way is read with the next. */
  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#toRead.size > 0) {
        const ids = [...this.#toRead].filter(isExecutionId);
        this.#toRead.clear();
        for (const row of await this.#database.query<Row>(READ, [ids])) this.#settle({ reply: toReply(row), ended: row.ended });
      }
    } catch (error) {
      // The next look finds what was missed.
      this.#onError(error);
    } finally {
      this.#reading = false;
    }
  }

  #settle({ reply, ended }: { reply: Reply; ended: boolean }): void {
    const waiters = [...this.#waiting.get(reply.executionId) ?? []].filter(({ until }) => ended || until === 'answered');
    for (const { resolve } of waiters) resolve(reply);
  }
}
