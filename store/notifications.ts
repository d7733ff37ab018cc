/** A message: why it came and, if it was sent by somebody, what they sent. */
export type Notification =
  | { kind: 'message'; payload: string }
  /** The connection was made or made anew: look for yourself what was missed. */
  | { kind: 'connected' };

export type NotificationHandler = (notification: Notification) => void;

/** PostgreSQL channel names. */
export const channel = {
  /** Work arrived in a pool. No payload. Idle runners also look once a second. */
  work: (pool: string): string => `millrace_work_${pool}`,
  /** Comma-separated execution ids that can be read by the replica with that address. */
  reply: (address: string): string => `millrace_reply_${address}`,
  /** `namespace/workflow` of a changed route. */
  routes: 'millrace_routes',
  /** Comma-separated ids of finished executions that a WorkflowRun asked for. Also list now and then: a message may get lost. */
  finished: 'millrace_finished',
  /** Comma-separated ids of executions that were canceled while they ran. `renew` says it too. */
  canceled: 'millrace_canceled',
} as const;

/** One connection of its own for LISTEN; made anew with backoff for as long as the store is open. */
export interface Notifications {
  /** Resolves once listening, after a `connected`, to a function that stops it. */
  on(channel: string, handler: NotificationHandler): Promise<() => Promise<void>>;
}
