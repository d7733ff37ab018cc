import { ExecutionStatus } from '../engine/node-run.ts';
import type { Assignment, CancelReason } from '../executor/protocol.ts';
import { givenUp } from './endings.ts';
import { ExecutorProcess, ExitCause, type ExecutorExit, type ExecutorHandlers, type ExecutorOptions } from './executor-process.ts';
import { PythonSnapshot } from './python-snapshot.ts';
import { verdict, type Verdict } from './verdict.ts';

export interface PoolOptions extends ExecutorOptions {
  executors: number;
  /** Executions that run in one executor at a time. */
  concurrency: number;
  /** Resident bytes at which an executor is killed. */
  memoryBytes: number;
  /** CPU time in one stretch, in milliseconds, after which a busy executor counts as stuck. */
  stallMs: number;
}

export interface PoolHandlers extends Omit<ExecutorHandlers, 'onReady' | 'onExit' | 'onPythonWanted'> {
  /** A slot became free. */
  onCapacity(): void;
  onExecutorExit(exit: ExecutorExit): void;
}

const WATCH_MS = 200;
/** Pause before a replacement is started, so that an executor that cannot start does not spin. */
const RESPAWN_MS = 100;

/**
 * The executor processes of one runner. Work goes to the least busy one. When an executor dies, it is replaced, and what it
 * ran is judged (see verdict.ts): the one to blame fails, the others run again, suspects each alone in an executor.
 */
export class ExecutorPool {
  readonly #executors = new Set<ExecutorProcess>();
  /** Suspects, waiting for an executor of their own. */
  readonly #suspects: Assignment[] = [];
  /** Executors that run one suspect and take nothing else. */
  readonly #solo = new Map<ExecutorProcess, Assignment>();
  readonly #options: PoolOptions;
  readonly #handlers: PoolHandlers;
  readonly #watch: NodeJS.Timeout;
  readonly #python = new PythonSnapshot();
  #nextId = 0;
  #closing = false;

  constructor(options: PoolOptions, handlers: PoolHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    for (let i = 0; i < options.executors; i += 1) this.#spawn();
    this.#watch = setInterval(() => this.#inspect(), WATCH_MS);
  }

  get ready(): boolean {
    return [...this.#executors].some((executor) => executor.ready);
  }

  /** How many more executions fit now. */
  get freeSlots(): number {
    if (this.#closing || this.#suspects.length > 0) return 0;
    return this.#open().reduce((sum, executor) => sum + this.#options.concurrency - executor.running.size, 0);
  }

  /** Executions that the executors which take work can run at the same time. */
  get slots(): number {
    return this.#closing ? 0 : this.#open().length * this.#options.concurrency;
  }

  /** Revisions that some executor has run lately. */
  get warm(): string[] {
    return [...new Set(this.#open().flatMap(({ warm }) => [...warm]))];
  }

  /** The caller has checked `freeSlots`. Of executors that are equally busy one that has run the revision takes it. */
  start(assignment: Assignment): void {
    const cold = ({ warm }: ExecutorProcess): number => (warm.has(assignment.revision) ? 0 : 1);
    const [least] = this.#open().sort((a, b) => a.running.size - b.running.size || cold(a) - cold(b));
    if (least) least.start(assignment);
    else this.#suspects.push(assignment);
  }

  /** Asks the executor that runs it to stop it. False when none runs it; a suspect that waits for one is forgotten. */
  cancel(assignment: Assignment, reason: CancelReason): boolean {
    const waiting = this.#suspects.indexOf(assignment);
    if (waiting !== -1) this.#suspects.splice(waiting, 1);
    const executor = [...this.#executors].find(({ running }) => running.has(assignment.id));
    executor?.cancel(assignment.id, reason);
    return executor !== undefined;
  }

  /** Asks the executor that runs it to give it back at the next node boundary. */
  handBack(assignment: Assignment): void {
    for (const executor of this.#executors) if (executor.running.has(assignment.id)) executor.handBack(assignment.id);
  }

  close(): void {
    this.#closing = true;
    clearInterval(this.#watch);
    for (const executor of this.#executors) executor.kill(ExitCause.Stopped);
  }

  /** Executors that take ordinary work. */
  #open(): ExecutorProcess[] {
    return [...this.#executors].filter((executor) => executor.ready && !this.#solo.has(executor));
  }

  #spawn(): void {
    const id = this.#nextId++;
    const executor: ExecutorProcess = new ExecutorProcess(id, this.#options, {
      ...this.#handlers,
      onFinished: (assignment, result) => {
        this.#handlers.onFinished(assignment, result);
        this.#freed(executor);
      },
      onAbandoned: (assignment, reason) => {
        this.#handlers.onAbandoned(assignment, reason);
        this.#freed(executor);
      },
      onPythonWanted: () => this.#python.get(),
      onReady: () => this.#offer(),
      onExit: (exit) => this.#exited(executor, exit),
    });
    this.#executors.add(executor);
  }

  #freed(executor: ExecutorProcess): void {
    this.#solo.delete(executor);
    this.#offer();
  }

  #exited(executor: ExecutorProcess, exit: ExecutorExit): void {
    this.#executors.delete(executor);
    const alone = this.#solo.delete(executor);
    if (this.#closing) return;
    this.#handlers.onExecutorExit(exit);
    const { failed, suspects } = verdict(exit, alone);
    if (failed) this.#fail(failed);
    this.#suspects.push(...suspects);
    setTimeout(() => this.#closing || this.#spawn(), RESPAWN_MS).unref();
  }

  /** Another executor ends it, with its compensations and its error workflow; unless even that brought an executor down. */
  #fail({ assignment, failure }: NonNullable<Verdict['failed']>): void {
    if (assignment.ending) {
      this.#handlers.onFinished(assignment, givenUp(assignment.checkpoints, failure));
      return;
    }
    assignment.ending = { status: ExecutionStatus.Failed, error: failure };
    this.start(assignment);
  }

  /** Gives waiting suspects an idle executor each, else tells that there is room. */
  #offer(): void {
    for (const executor of this.#open()) {
      if (executor.running.size > 0) continue;
      const suspect = this.#suspects.shift();
      if (!suspect) break;
      this.#solo.set(executor, suspect);
      executor.start(suspect);
    }
    if (this.freeSlots > 0) this.#handlers.onCapacity();
  }

  #inspect(): void {
    for (const executor of this.#executors) {
      if (executor.residentBytes() > this.#options.memoryBytes) executor.kill(ExitCause.MemoryLimit);
      else if (executor.stuckMs() > this.#options.stallMs && executor.running.size > 0) executor.kill(ExitCause.Stalled);
    }
  }
}
