import { WorkflowError, toErrorRecord } from '../engine/error.ts';
import { ExecutionMode, ExecutionStatus } from '../engine/node-run.ts';
import { CancelReason, type Assignment, type Method, type SupervisorMethods } from '../executor/protocol.ts';
import { StoreError, StoreReason } from '../../store/error.ts';
import { channel } from '../../store/notifications.ts';
import type { Claim, RunnerLoad, EndedExecution, Lease } from '../../store/lease.ts';
import type { Store } from '../../store/store.ts';
import type { Health } from '../../service/health-server.ts';
import type { CredentialReader } from '../../service/secret-credentials.ts';
import { AccessTokens } from '../oauth/access-tokens.ts';
import { PdfReader } from '../pdf/pdf-reader.ts';
import { Circuits } from './circuits.ts';
import { DistributedParts, timeoutOf } from './distributed-parts.ts';
import { DurableCalls, leaseLost, type Owned } from './durable-calls.ts';
import { CANCELED, endingOf, isUndoable } from './endings.ts';
import { ExecutorPool, type PoolOptions } from './executor-pool.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { ExecutionTraces } from './execution-traces.ts';
import type { RunnerMetrics } from './metrics.ts';
import { NodeCredentials } from './node-credentials.ts';
import { paced } from './paced.ts';
import { ResultLru } from './result-cache.ts';
import { RetryBudgets } from './retry-budgets.ts';

export interface SupervisorOptions extends PoolOptions {
  /** Name of the RunnerPool whose work this runner takes. */
  pool: string;
  /** Unique per process. */
  runner: string;
  leaseMs: number;
  /** How long a shutdown lets running executions finish, in milliseconds. */
  graceMs: number;
  /** The one execution that this runner is there for; it takes nothing else, and nothing after it. */
  executionId?: string;
}

export interface SupervisorLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface SupervisorDeps {
  log: SupervisorLog;
  metrics: RunnerMetrics;
  traces?: ExecutionTraces | undefined;
  /** Reads credentials of nodes. */
  credentials: CredentialReader;
  /** Called once nothing is left to do for a runner that is there for one execution. */
  onDone?: () => void;
}

const MAX_BATCH = 500;
/** How much of the grace time executions get to finish, before they stop at a node boundary. */
const FINISH_SHARE = 0.2;
const ASK_AGAIN_MS = 500;
/** Idle runners look for work this often even when nobody told them. */
const POLL_MS = 1000;
const CLAIM_EVERY_MS = 5;
/** A runner that is there for one execution, and does not get it, gives up: another one has it, or it has ended. */
const CLAIM_ONE_MS = 60_000;
/** A message about a circuit may get lost. */
const CIRCUIT_POLL_MS = 10_000;
/** However many circuits change. */
const CIRCUITS_EVERY_MS = 50;
/** Ends that are nobody's fault: another runner, or this one when the store is back, goes on. */
const HAND_BACK: ReadonlySet<string> = new Set([CancelReason.HandBack, CancelReason.LeaseLost, StoreReason.StoreUnavailable, StoreReason.StoreTimeout]);

/** Claims work of one pool, runs it in executors, and makes every result durable. Holds the only connection to the store. */
export class Supervisor {
  readonly #store: Store;
  readonly #options: SupervisorOptions;
  readonly #log: SupervisorLog;
  readonly #metrics: RunnerMetrics;
  readonly #traces: ExecutionTraces | undefined;
  readonly #pool: ExecutorPool;
  readonly #keeper: LeaseKeeper;
  readonly #owned = new Map<string, Owned>();
  readonly #pdfs = new PdfReader();
  readonly #circuits: Circuits;
  readonly #calls: DurableCalls;
  readonly #parts: DistributedParts;
  readonly #totals = { started: 0, ended: 0, busyMs: 0 };
  #stopListening: (() => Promise<void>)[] = [];
  #claiming = false;
  /** Work was told of since the claim that is under way began. */
  #toldMeanwhile = false;
  /** The last claim filled all slots: more may be waiting. */
  #backlog = false;
  /** Every claim costs the database about the same, whatever it finds. */
  readonly #claimSoon = paced(() => void this.#claim(), CLAIM_EVERY_MS);
  #draining = false;
  readonly #onDone: () => void;
  #giveUp: NodeJS.Timeout | undefined;
  #started = false;
  #poll: NodeJS.Timeout | undefined;
  #circuitPoll: NodeJS.Timeout | undefined;

  constructor(store: Store, options: SupervisorOptions, deps: SupervisorDeps) {
    this.#store = store;
    this.#options = options;
    this.#log = deps.log;
    this.#metrics = deps.metrics;
    this.#traces = deps.traces;
    this.#onDone = deps.onDone ?? (() => undefined);
    const { queue } = store;
    this.#circuits = new Circuits({
      records: store.circuits,
      now: () => store.now(),
      onChange: (circuit, state) => {
        this.#metrics.circuitChanged(state);
        this.#log.info({ ...circuit, state }, 'Changed a circuit');
      },
      onRefused: () => this.#metrics.circuitRefused(),
      onError: (error) => this.#log.warn({ err: error }, 'Failed to share a circuit'),
    });
    this.#parts = new DistributedParts(store.partitions, (error) => this.#log.warn({ err: error }, 'Failed to look at distributed work'));
    const results = new ResultLru({ monotonic: () => performance.now(), onRead: (result) => this.#metrics.cacheRead(result) });
    const retries = new RetryBudgets({ monotonic: () => performance.now(), onRefused: () => this.#metrics.retryRefused() });
    const credentials = new NodeCredentials(store.revisions, deps.credentials);
    const tokens = new AccessTokens({
      monotonic: () => performance.now(),
      // Most runners fetch none, and need no code for it in memory.
      fetch: async () => (await import('../egress.ts')).createFetch(options.deniedCidrs).fetch,
    });
    this.#calls = new DurableCalls(store, { pdfs: this.#pdfs, credentials, tokens, circuits: this.#circuits, retries, results });
    this.#pool = new ExecutorPool(options, {
      onCall: (assignment, method, argument) => this.#call(assignment, method, argument),
      onFinished: (assignment, result) => void this.#finished(assignment, result),
      onAbandoned: (assignment, reason) => void this.#abandoned(assignment, reason),
      onSpans: ({ assignment, spans }) => this.#traces?.spans(assignment, spans),
      onConsole: ({ executionId, node, level, text }) => this.#log.info({ execution: executionId, node, level, text }, 'Code printed'),
      onCapacity: () => { if (this.#backlog) this.#claimSoon(); },
      onExecutorExit: ({ cause, running, current }) => {
        this.#metrics.executorExited(cause);
        this.#log.warn({ cause, executions: running.length, current }, 'Lost an executor');
      },
      toErrorRecord: (error) => (error instanceof StoreError ? { code: error.code, message: error.message } : toErrorRecord(error)),
    });
    this.#metrics.load({ running: () => this.#owned.size, slots: () => this.#load().slots, openCircuits: () => this.#circuits.open });
    this.#keeper = new LeaseKeeper(options.runner, options.leaseMs, {
      renew: (renewal) => queue.renew(renewal),
      leases: () => this.#leases(),
      load: () => this.#load(),
      onRenewed: ({ lost, canceled }) => {
        for (const id of lost) this.#drop(id);
        for (const id of canceled) this.#stop(id, CancelReason.Canceled);
      },
      onExpired: (error) => this.#dropAll(error),
      monotonic: () => performance.now(),
    });
  }

  health(): Health {
    const problems = [...(this.#pool.ready ? [] : ['no executor is ready']), ...(this.#draining ? ['stopping'] : [])];
    return { live: true, ready: problems.length === 0, problems };
  }

  async start(): Promise<void> {
    const { notifications } = this.#store;
    const refreshCircuits = paced(() => {
      this.#circuits.refresh().catch((error: unknown) => this.#log.warn({ err: error }, 'Failed to look at circuits'));
    }, CIRCUITS_EVERY_MS);
    this.#keeper.start();
    this.#stopListening = [
      await notifications.on(channel.work(this.#options.pool), () => this.#claimSoon()),
      await notifications.on(channel.canceled, (notification) => {
        if (notification.kind !== 'message') return;
        for (const id of notification.payload.split(',')) this.#stop(id, CancelReason.Canceled);
      }),
      await notifications.on(channel.circuits, refreshCircuits),
    ];
    this.#poll = setInterval(this.#claimSoon, POLL_MS);
    if (this.#options.executionId !== undefined) this.#giveUp = setTimeout(() => this.#done(), CLAIM_ONE_MS);
    this.#circuitPoll = setInterval(refreshCircuits, CIRCUIT_POLL_MS);
    this.#parts.start();
    this.#log.info({ pool: this.#options.pool, runner: this.#options.runner }, 'Started taking work');
    this.#started = true;
    // The one execution may have been found, and have ended, while this was still listening for more.
    if (this.#draining) this.#onDone();
  }

  /** Takes no more work. What runs may finish for a part of the grace time; then it is handed back at its next node boundary, and in the end at once. */
  async stop(): Promise<void> {
    this.#draining = true;
    clearInterval(this.#poll);
    clearTimeout(this.#giveUp);
    const { graceMs } = this.#options;
    const atBoundary = setTimeout(() => {
      for (const { assignment } of this.#owned.values()) this.#pool.handBack(assignment);
      this.#log.info({ executions: this.#owned.size }, 'Asked executions to stop at a node boundary');
    }, graceMs * FINISH_SHARE);
    const handBack = new AbortController();
    // Again and again: a claim that was under way, or an executor that died meanwhile, may bring executions that were not asked yet.
    const askAll = (): void => {
      if (handBack.signal.aborted) return;
      for (const id of this.#owned.keys()) this.#stop(id, CancelReason.HandBack);
      setTimeout(askAll, ASK_AGAIN_MS);
    };
    setTimeout(askAll, graceMs).unref();
    // What a claim that is under way brings must be executed or handed back, too: after `leave` others take it.
    while (this.#owned.size > 0 || this.#claiming) await new Promise((resolve) => setTimeout(resolve, 20));
    clearTimeout(atBoundary);
    handBack.abort();
    await Promise.all(this.#stopListening.map((stop) => stop()));
    clearInterval(this.#circuitPoll);
    this.#parts.stop();
    this.#keeper.stop();
    this.#pool.close();
    this.#pdfs.close();
    await this.#store.queue.leave(this.#options.runner);
    this.#log.info({ runner: this.#options.runner }, 'Stopped taking work');
  }

  async #claim(): Promise<void> {
    if (this.#claiming) this.#toldMeanwhile = true;
    if (this.#claiming || this.#draining) return;
    this.#claiming = true;
    try {
      while (!this.#draining) {
        this.#toldMeanwhile = false;
        const limit = Math.min(this.#pool.freeSlots, MAX_BATCH);
        // Only where there is more than it takes can a runner choose.
        const warm = this.#backlog ? this.#pool.warm : [];
        this.#backlog = limit === 0;
        if (limit === 0) break;
        const { claims, nextMs } = await this.#store.queue.claim({
          pool: this.#options.pool, runner: this.#options.runner, limit, leaseMs: this.#options.leaseMs, warm,
          ...(this.#options.executionId !== undefined && { executionId: this.#options.executionId }),
        });
        for (const claim of claims) this.#take(claim);
        this.#backlog = claims.length === limit;
        if (this.#backlog || warm.length > 0) continue;
        if (this.#toldMeanwhile) this.#claimSoon();
        else if (nextMs !== undefined && nextMs < POLL_MS) setTimeout(this.#claimSoon, nextMs).unref();
        break;
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'Failed to claim work');
    } finally {
      this.#claiming = false;
    }
  }

  #take(claim: Claim): void {
    clearTimeout(this.#giveUp);
    const assignment = this.#assign(claim);
    const trace = this.#traces?.begin(assignment.id, claim);
    if (trace) assignment.trace = trace;
    this.#owned.set(claim.executionId, { claim, assignment, since: performance.now(), called: new Set() });
    this.#totals.started += 1;
    this.#metrics.claimed(claim, Math.max(0, this.#store.now() - claim.createdAt));
    if (assignment.ending && !isUndoable(assignment.checkpoints)) void this.#finished(assignment, { ...assignment.ending, runs: [] });
    else this.#pool.start(assignment);
  }

  #assign(claim: Claim): Assignment {
    const timeoutMs = timeoutOf(claim, this.#store.now());
    return {
      id: `${claim.executionId}/${claim.fence}`,
      executionId: claim.executionId,
      workflowId: `${claim.namespace}/${claim.workflow}`,
      revision: claim.revision,
      mode: claim.mode,
      save: claim.save,
      start: claim.trigger,
      checkpoints: claim.checkpoints,
      staticData: claim.staticData,
      resumeToken: this.#store.resumeTokens.of(claim.executionId),
      clockOffsetMs: this.#store.now() - Date.now(),
      ...(claim.resume ? { resume: claim.resume } : {}),
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...endingOf(claim),
    };
  }

  async #call(assignment: Assignment, method: Method, argument: unknown): Promise<unknown> {
    const owned = this.#ownedAs(assignment);
    if (!owned) throw leaseLost();
    try {
      return await this.#calls.answer(owned, method, argument as SupervisorMethods[Method][0]);
    } catch (error) {
      if (error instanceof WorkflowError && error.code === 'LeaseLost') this.#drop(assignment.executionId);
      throw error;
    }
  }

  async #finished(assignment: Assignment, result: EndedExecution): Promise<void> {
    const owned = this.#ownedAs(assignment);
    if (!owned) return;
    this.#traces?.end(assignment.id, { status: result.status, ...(result.error ? { error: result.error.code } : {}) });
    const { executionId, fence, save, mode } = owned.claim;
    await this.#conclude(owned, async () => {
      if (result.status === ExecutionStatus.Waiting && result.wait) {
        await this.#store.queue.wait([{ executionId, fence, wait: result.wait }]);
        await this.#parts.parked(result.wait);
        return;
      }
      await this.#parts.end(owned.claim, result, () => this.#calls.finish({ executionId, fence, result, save, keepStaticData: mode !== ExecutionMode.Manual }));
      this.#metrics.finished(owned.claim, result.status, performance.now() - owned.since);
    });
  }

  /** An end without a result: hand the execution back, or count a crash when nobody knows why it ended. */
  async #abandoned(assignment: Assignment, { code, message }: { code: string; message: string }): Promise<void> {
    const owned = this.#ownedAs(assignment);
    if (!owned) return;
    this.#traces?.end(assignment.id, { status: 'Abandoned', error: code });
    const { executionId, fence } = owned.claim;
    const lease = { executionId, fence };
    await this.#conclude(owned, async () => {
      if (HAND_BACK.has(code)) {
        await this.#store.queue.release([lease]);
        return;
      }
      this.#log.error({ execution: executionId, code, reason: message }, 'Failed to run an execution');
      await this.#store.queue.crash([{ ...lease, reason: code }]);
    });
  }

  async #conclude({ assignment }: Owned, store: () => Promise<void>): Promise<void> {
    try {
      await store();
    } catch (error) {
      // The lease ends with nobody renewing it, and the execution goes on elsewhere from its last checkpoint.
      this.#log.error({ err: error, execution: assignment.executionId }, 'Failed to store how an execution went');
    } finally {
      if (this.#ownedAs(assignment)) this.#forget(assignment.executionId);
    }
  }

  /** Undefined when the execution was lost meanwhile, even if it was claimed anew. */
  #ownedAs(assignment: Assignment): Owned | undefined {
    const owned = this.#owned.get(assignment.executionId);
    return owned?.assignment === assignment ? owned : undefined;
  }

  #leases(): Lease[] {
    return [...this.#owned.values()].map(({ claim }) => ({ executionId: claim.executionId, fence: claim.fence }));
  }

  #forget(executionId: string): Owned | undefined {
    const owned = this.#owned.get(executionId);
    if (!owned) return undefined;
    this.#owned.delete(executionId);
    this.#traces?.end(owned.assignment.id, { status: 'Abandoned', error: 'LeaseLost' });
    this.#totals.ended += 1;
    this.#totals.busyMs += performance.now() - owned.since;
    if (this.#options.executionId !== undefined) this.#done();
    return owned;
  }

  /** Of a runner that is there for one execution: whatever becomes of that from now on is the matter of another one. */
  #done(): void {
    if (this.#draining) return;
    this.#draining = true;
    if (this.#started) this.#onDone();
  }

  #load(): RunnerLoad {
    return { slots: this.#draining ? 0 : this.#pool.slots, busy: this.#owned.size, ...this.#totals };
  }

  /** Asks the engine to stop; the end comes back as a result, or as abandoned. */
  #stop(executionId: string, reason: CancelReason): void {
    const owned = this.#owned.get(executionId);
    if (!owned || this.#pool.cancel(owned.assignment, reason)) return;
    if (reason === CancelReason.Canceled && isUndoable(owned.assignment.checkpoints)) {
      owned.assignment.ending ??= CANCELED;
      this.#pool.start(owned.assignment);
      return;
    }
    const message = 'The execution was stopped before an executor was free for it.';
    if (reason === CancelReason.Canceled) void this.#finished(owned.assignment, { status: ExecutionStatus.Canceled, error: { code: reason, message }, runs: [] });
    else void this.#abandoned(owned.assignment, { code: reason, message });
  }

  /** Stops an execution that is not ours any more; whatever it still says is not listened to. */
  #drop(executionId: string): void {
    const owned = this.#forget(executionId);
    if (owned) this.#pool.cancel(owned.assignment, CancelReason.LeaseLost);
  }

  #dropAll(error: unknown): void {
    if (this.#owned.size === 0) return;
    this.#log.error({ err: error, executions: this.#owned.size }, 'Gave up all executions: the lease could not be renewed');
    for (const id of this.#owned.keys()) this.#drop(id);
  }
}
