import type { Reply } from '../executions.ts';
import { channel, type Notifications } from '../notifications.ts';
import { replyMessage } from '../reply-message.ts';

/** What a statement that ends executions says of each. */
export interface Ended {
  id: string | null;
  reply_to: string | null;
  workflow_run: string | null;
  /** Pools in which slots of ended executions let others start; the same in every row. */
  woken?: string[] | null;
}

/** Tells those who wait for the answer, with the reply where it is known, and the operator about executions that a WorkflowRun asked for. */
export function tellEnded<Row extends Ended>(notifications: Notifications, rows: readonly Row[], replyOf: (row: Row) => Reply | undefined = () => undefined): void {
  for (const row of rows) {
    const { id, reply_to: replyTo, workflow_run: workflowRun } = row;
    if (id !== null && replyTo !== null) notifications.send(channel.reply(replyTo), replyMessage(id, replyOf(row)));
    if (id !== null && workflowRun !== null) notifications.send(channel.finished, id);
  }
}

/** Tells runners of executions that waited for a slot of those that ended. */
export function tellWoken(notifications: Notifications, [first]: readonly Ended[]): void {
  for (const pool of new Set(first?.woken ?? [])) notifications.send(channel.work(pool));
}
