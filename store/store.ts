import type { Executions } from './executions.ts';
import type { Notifications } from './notifications.ts';
import type { Queue } from './queue.ts';
import type { Replies } from './replies.ts';
import type { Revisions } from './revisions.ts';
import type { Routes } from './route.ts';

export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface StoreOptions {
  /** `postgres://…`. Never logged. */
  url: string;
  /** Shown in pg_stat_activity, such as `millrace-api`. */
  applicationName: string;
  log?: StoreLog;
  /** Connections besides the one that listens. Default 8. */
  poolSize?: number;
  /** How long to wait at start for PostgreSQL and for the schema to be migrated. Default 0: fail at once. */
  waitMs?: number;
  /** Fail (default) or only warn when PostgreSQL may forget committed work. */
  durability?: 'Require' | 'Warn';
}

export interface Health {
  ok: boolean;
  /** Round trip in milliseconds. */
  latencyMs: number;
  /** Code of what is wrong. */
  code?: string;
}

export interface Store {
  readonly revisions: Revisions;
  readonly routes: Routes;
  readonly queue: Queue;
  readonly executions: Executions;
  readonly replies: Replies;
  readonly notifications: Notifications;
  /** The database's clock, estimated: milliseconds since the epoch. The engine's `now` on runners. */
  now(): number;
  health(): Promise<Health>;
  /** Housekeeping, any number of replicas, every minute: ends dead leases, forgets old idempotency keys and traces of unsaved executions. */
  sweep(): Promise<void>;
  close(): Promise<void>;
}

export declare function openStore(options: StoreOptions): Promise<Store>;
/** Brings the schema to this version's state; several processes at once are safe. Resolves to the names of the applied migrations. */
export declare function migrate(options: { url: string; applicationName: string; log?: StoreLog; waitMs?: number }): Promise<string[]>;
