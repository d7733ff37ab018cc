import { fork, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { ErrorRecord } from '../engine/item.ts';
import type { EndedExecution } from '../../store/lease.ts';
import { openWorkNote, type CurrentWork, type WorkNote } from '../executor/current-work.ts';
import type { Assignment, CancelReason, ExecutorLimits, Method, ToExecutor, ToSupervisor } from '../executor/protocol.ts';
import { cpuMs, residentBytes } from './process-usage.ts';
import { WarmRevisions } from './warm-revisions.ts';

const ENTRY = join(import.meta.dirname, '../executor/main.ts');
const SOURCE_ROOT = join(import.meta.dirname, '../..');
const KILL_FIRST_SCORE = '1000';
/** An executor that gets so small a part of a CPU is as good as stuck. */
const STARVED = 10;
/** V8 lets the space of young objects grow to a size that a busy executor would fill with garbage: 100 MB more for 100,000 items. */
const YOUNG_MIB = 8;
/** Of the thousand that an executor keeps, those that go along with claims. */
const WARM_REVISIONS = 64;

/** Why an executor ended. Stopped is the only ordinary end. */
export const ExitCause = { Stopped: 'Stopped', Crashed: 'Crashed', Stalled: 'Stalled', MemoryLimit: 'MemoryLimit' } as const;
export type ExitCause = (typeof ExitCause)[keyof typeof ExitCause];

export interface ExecutorExit {
  cause: ExitCause;
  /** What was running in it. */
  running: Assignment[];
  /** What it was working on last. */
  current: CurrentWork | undefined;
}

export interface ExecutorHandlers {
  onCall(assignment: Assignment, method: Method, argument: unknown): Promise<unknown>;
  onFinished(assignment: Assignment, result: EndedExecution): void;
  /** The executor gave the execution up without a result. */
  onAbandoned(assignment: Assignment, reason: { code: string; message: string }): void;
  onConsole(line: Extract<ToSupervisor, { kind: 'console' }>): void;
  /** Parts of a trace. */
  onSpans(message: Extract<ToSupervisor, { kind: 'spans' }>): void;
  /** The compressed memory of a Python interpreter that has started. */
  onPythonWanted(): Promise<Uint8Array>;
  onReady(): void;
  onExit(exit: ExecutorExit): void;
  toErrorRecord(error: unknown): ErrorRecord;
}

export interface ExecutorOptions extends ExecutorLimits {
  /** Bytes of JavaScript heap. */
  heapBytes: number;
  /** Folder for scratch files; the executor can write nowhere else. */
  scratch: string;
  variables: Record<string, string>;
  baseUrl: string;
}

/**
 * One executor: a child process without credentials, environment or file access beyond the program itself, in which untrusted
 * code runs. Its supervisor may kill it at any moment; what it was running is handed back through `onExit`.
 */
export class ExecutorProcess {
  /** By assignment id. */
  readonly running = new Map<string, Assignment>();
  readonly warm = new WarmRevisions(WARM_REVISIONS);
  readonly #child: ChildProcess;
  readonly #handlers: ExecutorHandlers;
  readonly #work: WorkNote;
  #ready = false;
  #lastBeat = performance.now();
  #heard = { beat: 0, used: 0 };
  #cause: ExitCause = ExitCause.Crashed;

  constructor(id: number, options: ExecutorOptions, handlers: ExecutorHandlers) {
    this.#handlers = handlers;
    this.#work = openWorkNote(join(options.scratch, `executor-${process.pid}-${id}.current`));
    const { deniedCidrs, databaseConnections } = options;
    this.#child = fork(ENTRY, [JSON.stringify({ deniedCidrs, databaseConnections } satisfies ExecutorLimits)], {
      serialization: 'advanced',
      env: {},
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', this.#work.fd ?? 'ignore'],
      execArgv: [
        `--max-old-space-size=${Math.ceil(options.heapBytes / 2 ** 20)}`,
        `--max-semi-space-size=${YOUNG_MIB}`,
        '--permission',
        `--allow-fs-read=${SOURCE_ROOT}`,
        '--disable-warning=SecurityWarning',
      ],
    });
    this.#preferForOutOfMemoryKill();
    this.#child.on('message', (message: ToSupervisor) => this.#receive(message));
    this.#child.on('exit', () => this.#exited());
    this.#child.on('error', () => this.kill(ExitCause.Crashed));
    this.#send({ kind: 'configure', variables: options.variables, baseUrl: options.baseUrl });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /**
   * How long its event loop has been stuck, in milliseconds of CPU time: a process that gets no CPU is not stuck. One that is silent for very
   * long without using any is. Looks at what it used since it was last heard of, so it has to be asked again and again.
   */
  stuckMs(): number {
    const used = cpuMs(this.#child.pid);
    if (this.#lastBeat !== this.#heard.beat) this.#heard = { beat: this.#lastBeat, used };
    return Math.max(used - this.#heard.used, (performance.now() - this.#lastBeat) / STARVED);
  }

  residentBytes(): number {
    return residentBytes(this.pid);
  }

  start(assignment: Assignment): void {
    this.running.set(assignment.id, assignment);
    this.warm.ran(assignment.revision);
    this.#send({ kind: 'start', assignment });
  }

  cancel(assignment: string, reason: CancelReason): void {
    this.#send({ kind: 'cancel', assignment, reason });
  }

  handBack(assignment: string): void {
    this.#send({ kind: 'handBack', assignment });
  }

  kill(cause: ExitCause): void {
    this.#cause = cause;
    this.#child.kill('SIGKILL');
  }

  #send(message: ToExecutor): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #receive(message: ToSupervisor): void {
    this.#lastBeat = performance.now();
    switch (message.kind) {
      case 'ready':
        this.#ready = true;
        this.#handlers.onReady();
        break;
      case 'beat':
        break;
      case 'pythonWanted':
        void this.#sendPython();
        break;
      case 'console':
        this.#handlers.onConsole(message);
        break;
      case 'spans':
        this.#handlers.onSpans(message);
        break;
      case 'call':
        void this.#answer(message);
        break;
      case 'finished':
        this.#release(message.assignment, (assignment) => this.#handlers.onFinished(assignment, message.result));
        break;
      case 'abandoned':
        this.#release(message.assignment, (assignment) => this.#handlers.onAbandoned(assignment, message));
        break;
    }
  }

  #release(id: string, tell: (assignment: Assignment) => void): void {
    const assignment = this.running.get(id);
    this.running.delete(id);
    if (assignment) tell(assignment);
  }

  async #answer({ call, assignment: id, method, argument }: Extract<ToSupervisor, { kind: 'call' }>): Promise<void> {
    const assignment = this.running.get(id);
    if (!assignment) return;
    try {
      this.#send({ kind: 'answer', call, value: await this.#handlers.onCall(assignment, method, argument) });
    } catch (error) {
      this.#send({ kind: 'answer', call, error: this.#handlers.toErrorRecord(error) });
    }
  }

  async #sendPython(): Promise<void> {
    try {
      this.#send({ kind: 'python', snapshot: await this.#handlers.onPythonWanted() });
    } catch (error) {
      this.#send({ kind: 'python', error: this.#handlers.toErrorRecord(error) });
    }
  }

  #exited(): void {
    const running = [...this.running.values()];
    this.running.clear();
    const current = this.#work.read();
    this.#work.close();
    this.#handlers.onExit({ cause: this.#cause, running, current });
  }

  /** Where the kernel kills single processes, it should take the executor that grew and not the supervisor. */
  #preferForOutOfMemoryKill(): void {
    try {
      writeFileSync(`/proc/${this.pid}/oom_score_adj`, KILL_FIRST_SCORE);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EACCES' && code !== 'ENOENT' && code !== 'EROFS' && code !== 'EPERM') throw error;
    }
  }
}
