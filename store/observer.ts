import type { StoreReason } from './error.ts';

export type ObjectOperation = 'put' | 'get' | 'list' | 'remove';

/** Told what the store does, for metrics. Called on hot paths: must be quick, and must not throw. */
export interface StoreObserver {
  /** One statement on one connection. `ms`: until its rows were here, without the wait for a connection. `failure`: why there are none. */
  statement(name: string, ms: number, failure?: StoreReason): void;
  /** One request to the object storage; what is tried again counts once. */
  object(operation: ObjectOperation, ms: number, failure?: StoreReason): void;
  /** Executions that were accepted and are new in the queue of a pool. */
  enqueued(pool: string, count: number): void;
}

export const NO_OBSERVER: StoreObserver = { statement: () => undefined, object: () => undefined, enqueued: () => undefined };
