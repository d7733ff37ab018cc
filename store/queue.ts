import type {
  CheckpointWrite, Claimed, ClaimOptions, CrashWrite, FinishWrite, Lease, Renewed, RenewOptions, ResponseWrite, ResumeCall, RunnerLoad, Waiting, WaitWrite,
} from './lease.ts';
import type { Enqueued, EnqueueRequest } from './request.ts';

/** What a live runner last said of itself; the counters begin at 0 with each process. */
export interface RunnerReport extends RunnerLoad {
  /** Of the runner process, which begins with the name of its pod. */
  name: string;
}

export interface PoolStats {
  /** Could start now. Exact up to some thousands, an estimate beyond. */
  ready: number;
  /** Wait for a time or a call; counted up to some thousands. */
  delayed: number;
  /** Wait for a limit of their workflow; counted up to some thousands. */
  blocked: number;
  /** Takes no work: its RunnerPool says so, or an administrator does. */
  paused: boolean;
  running: number;
  /** Longest wait among the executions that are next in their namespaces; 0 when none is ready. */
  oldestReadyMs: number;
  /** Runners with a live lease. */
  runners: number;
  reports: RunnerReport[];
}

/**
 * Work between triggers and runners. Every call is one statement for the whole batch and is tried again by itself when
 * the connection breaks. All times are the database's. "Lost" ids are leases that ended: drop them.
 */
export interface Queue {
  /** Answers in the order of the requests. Pins the revision by the route as it is in the same transaction. */
  enqueue(requests: readonly EnqueueRequest[]): Promise<Enqueued[]>;
  /** Highest priority first, older first within it, fairly between namespaces; a priority point is worth 30 seconds of waiting. */
  claim(options: ClaimOptions): Promise<Claimed>;
  /** Call every fifth of a lease, idle or not. Also ends the leases of runners that have gone. */
  renew(options: RenewOptions): Promise<Renewed>;
  /** Durable when it resolves. Resolves to lost ids. */
  checkpoint(writes: readonly CheckpointWrite[]): Promise<string[]>;
  /** Makes an early answer durable and tells whoever waits for it. Resolves to lost ids. */
  respond(writes: readonly ResponseWrite[]): Promise<string[]>;
  /** Moves executions to the history. Resolves to lost ids. */
  finish(writes: readonly FinishWrite[]): Promise<string[]>;
  /** Parks executions until their time comes or `resume` is called. Resolves to lost ids. */
  wait(writes: readonly WaitWrite[]): Promise<string[]>;
  /** What an execution waits for that a call can end; undefined when it does not wait for one. */
  waiting(executionId: string): Promise<Waiting | undefined>;
  /** Lets a waiting execution go on. Resolves to false when it does not wait at that node (any more). Its earlier answer is forgotten. */
  resume(call: ResumeCall): Promise<boolean>;
  /** Hands executions back unfinished, at a node boundary, without counting a crash. */
  release(leases: readonly Lease[]): Promise<void>;
  /** Reports executions that took their executor down: back to the queue after a pause, or dead after the third time. Resolves to lost ids. */
  crash(writes: readonly CrashWrite[]): Promise<string[]>;
  /** Queued ones end at once, running ones when their runner hears of it. Resolves to the ids that were not finished yet. */
  cancel(executionIds: readonly string[]): Promise<string[]>;
  /** Ends the lease of a runner that shuts down; whatever it still owns goes back without counting a crash. */
  leave(runner: string): Promise<void>;
  /** Ends the leases of runners that have gone, as `renew` does. For when no runner is left that would. */
  reap(): Promise<void>;
  /** Costs the same however long the queue is. */
  stats(pool: string): Promise<PoolStats>;
}
