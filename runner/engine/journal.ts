import type { EngineHost } from './host.ts';
import type { Checkpoint, CommittedRun, Ending, Environment, NodeRun, Recording, Scoped, StaticData } from './node-run.ts';
import { isAskedAgain } from './node-type.ts';

/** Reads of one node run from outside itself. */
export interface Recorder {
  recording(): Recording;
  /** The recorded value during a replay, else what `live` gives, recorded. */
  read<T>(live: () => T): T;
}

/** Names a run in a sub-workflow. */
export type InnerRun = Required<Scoped> & Pick<NodeRun, 'node' | 'runIndex'>;

/** A committed run with its place among all that the execution committed: where several left something behind, the last one counts. */
export interface RestorableRun extends CommittedRun {
  order: number;
}

/**
 * What makes an execution and its sub-workflows survive a crash: knows what earlier lives committed, and gathers what this
 * life has to commit before its next effect.
 */
export class Journal {
  readonly #host: Pick<EngineHost, 'commit' | 'variables'>;
  readonly #committed = new Map<string, RestorableRun>();
  readonly #committedIn = new Map<string, number>();
  /** Runs that count if their transaction was committed. */
  readonly #prepared: CommittedRun[] = [];
  readonly #recorded = new Map<string, readonly unknown[]>();
  readonly #waiting: Checkpoint['waiting'];
  readonly #ended = new Map<string, Ending>();
  readonly #undoableInside: InnerRun[] = [];
  #endings: (Ending & Scoped)[] = [];
  #unrestored: number;
  /** Where in the tree the wait that is being come back from is, until it is over; see `leadsBack`. */
  #wayBack: string | undefined;
  #environment: Environment = {};
  #environmentIsDurable = true;
  #sequence: number;
  #runs: CommittedRun[] = [];
  readonly #dirty = new Set<Recorder>();
  #lastCommit: Promise<void> = Promise.resolve();
  #failure: unknown;

  constructor(host: Pick<EngineHost, 'commit' | 'variables'>, resume: readonly Checkpoint[]) {
    this.#host = host;
    this.#sequence = resume.length;
    this.#waiting = resume.at(-1)?.waiting;
    if (this.#waiting && !isAskedAgain(this.#waiting.wait.on)) this.#wayBack = wayTo(this.#waiting);
    for (const { runs, recordings, environment, endings = [] } of resume) {
      for (const run of runs) this.#restore(run);
      for (const { scope, node, runIndex, reads } of recordings) this.#recorded.set(key(scope, node, runIndex), reads);
      for (const { scope = '', ...ending } of endings) this.#ended.set(scope, ending);
      this.#environment = { ...this.#environment, ...environment };
    }
    this.#unrestored = [...this.#committed.values()].filter(({ scope }) => scope === undefined).length;
  }

  /** Whether an earlier life was about to commit a transaction. */
  get hasPrepared(): boolean {
    return this.#prepared.length > 0;
  }

  /** The transaction was committed in this attempt: its runs are done. */
  adopt(wanted: string): void {
    for (const { attempt, ...run } of this.#prepared.splice(0)) {
      if (attempt !== wanted) continue;
      this.#restore(run);
      this.#unrestored += 1;
    }
  }

  /** Makes the runs of a transaction durable, which count once it is committed. */
  async prepare(attempt: string, runs: readonly CommittedRun[]): Promise<void> {
    for (const run of runs) this.#runs.push({ ...run, attempt });
    await this.#commit();
  }

  /** Ends this life of the execution, whatever nodes make of the error. Gives back what to throw. */
  giveUp(reason: Error): unknown {
    this.#failure ??= reason;
    return this.#failure;
  }

  /** What made a commit fail: from then on this life must not go on, whatever the node that noticed first did about it. */
  get failure(): unknown {
    return this.#failure;
  }

  throwIfBroken(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** A run that an earlier life finished and committed. Asked for once in a life. */
  committed(scope: string, node: string, runIndex: number): RestorableRun | undefined {
    const run = this.#committed.get(key(scope, node, runIndex));
    if (run && scope === '') this.#unrestored -= 1;
    return run;
  }

  isCommitted(scope: string, node: string, runIndex: number): boolean {
    return this.#committed.has(key(scope, node, runIndex));
  }

  /** How many committed runs of the root nobody has asked for in this life. */
  get unrestored(): number {
    return this.#unrestored;
  }

  /** How an earlier life ended the execution with this scope, before it began to undo it. */
  endingOf(scope: string): Ending | undefined {
    return this.#ended.get(scope);
  }

  /** Remembers how an execution ended, so that every later life goes on undoing it. */
  end(scope: string, ending: Ending): void {
    this.#endings.push({ ...ending, ...scoped(scope) });
  }

  /** The runs in sub-workflows of a workflow of the tree that a compensation is there for, of this life and earlier ones. */
  undoableBelow(scope: string): readonly InnerRun[] {
    return this.#undoableInside.filter((run) => run.scope.startsWith(`${scope}/[`));
  }

  /** How many runs of one workflow of the tree earlier lives committed, without those that undo others. */
  committedIn(scope: string): number {
    return this.#committedIn.get(scope) ?? 0;
  }

  /** Whether this run is the wait that an earlier life ended in, or calls the sub-workflow it is in, and it is not over yet. */
  leadsBack(scope: string, node: string, runIndex: number): boolean {
    return this.#wayBack?.startsWith(wayTo({ scope, node, runIndex })) === true;
  }

  /** Whether the wait that an earlier life ended in is in this workflow or below it, and not over yet. */
  isComingBack(scope: string): boolean {
    return this.#wayBack?.startsWith(`${scope}/`) === true;
  }

  /** The wait this run was in when an earlier life ended. */
  waitOf(scope: string, node: string, runIndex: number): NonNullable<Checkpoint['waiting']>['wait'] | undefined {
    const waiting = this.#waiting;
    if (!waiting || waiting.node !== node || waiting.runIndex !== runIndex || (waiting.scope ?? '') !== scope) return undefined;
    return waiting.wait;
  }

  /** Records what a run reads. Effectful runs too: one that calls sub-workflows may come back with half of them done. */
  recorder(scope: string, node: string, runIndex: number): Recorder {
    return new RunRecorder({ ...scoped(scope), node, runIndex }, this.#recorded.get(key(scope, node, runIndex)) ?? [], this.#dirty);
  }

  /** `$vars`, the same in every life of this execution. */
  variables(): Readonly<Record<string, string>> {
    return (this.#environment.variables ??= this.#changed(this.#host.variables));
  }

  /** A workflow's static data as the execution first saw it; `live` when it sees it now. */
  staticData(workflow: string, live: StaticData): StaticData {
    const known = this.#environment.staticData;
    if (known && Object.hasOwn(known, workflow)) return known[workflow] ?? live;
    const seen = structuredClone(live);
    this.#environment.staticData = this.#changed({ ...known, [workflow]: seen });
    return seen;
  }

  /** Remembers the finished run of an effectful node for the next commit. What it read is of no use any more. */
  add(scope: string, run: CommittedRun, recorder?: Recorder): void {
    this.#runs.push({ ...run, ...scoped(scope) });
    this.#noteUndoable(run, scope);
    if (this.#wayBack === wayTo({ ...run, scope })) this.#wayBack = undefined;
    if (recorder) this.#dirty.delete(recorder);
  }

  /** Makes every finished effect durable, so that the next one may start. Does nothing when there is none. */
  async beforeEffect(): Promise<void> {
    if (this.#runs.length > 0 || this.#endings.length > 0) void this.#commit();
    await this.#lastCommit;
  }

  /** Makes everything durable that a later life needs to come back to this wait. */
  async suspend(waiting: NonNullable<Checkpoint['waiting']>): Promise<void> {
    await this.#commit(waiting);
  }

  #restore(run: CommittedRun): void {
    if (run.attempt !== undefined) {
      this.#prepared.push(run);
      return;
    }
    const { scope = '' } = run;
    this.#committed.set(key(scope, run.node, run.runIndex), { ...run, order: this.#committed.size });
    this.#noteUndoable(run, scope);
    if (!run.compensation) this.#committedIn.set(scope, this.committedIn(scope) + 1);
  }

  #noteUndoable({ undoable, node, runIndex }: CommittedRun, scope: string): void {
    if (undoable && scope !== '') this.#undoableInside.push({ scope, node, runIndex });
  }

  #commit(waiting?: Checkpoint['waiting']): Promise<void> {
    const checkpoint: Checkpoint = {
      sequence: this.#sequence++,
      runs: this.#runs,
      recordings: [...this.#dirty].map((recorder) => recorder.recording()),
      ...(this.#environmentIsDurable ? {} : { environment: this.#environment }),
      ...(this.#endings.length > 0 ? { endings: this.#endings } : {}),
      ...(waiting ? { waiting } : {}),
    };
    this.#runs = [];
    this.#endings = [];
    this.#dirty.clear();
    this.#environmentIsDurable = true;
    const commit = this.#lastCommit.then(() => this.#host.commit(checkpoint));
    commit.catch((error: unknown) => (this.#failure ??= error));
    this.#lastCommit = commit;
    return commit;
  }

  #changed<T>(value: T): T {
    this.#environmentIsDurable = false;
    return value;
  }
}

class RunRecorder implements Recorder {
  readonly #of: Omit<Recording, 'reads'>;
  readonly #reads: unknown[];
  readonly #dirty: Set<Recorder>;
  #next = 0;

  constructor(of: Omit<Recording, 'reads'>, reads: readonly unknown[], dirty: Set<Recorder>) {
    this.#of = of;
    this.#reads = [...reads];
    this.#dirty = dirty;
  }

  read<T>(live: () => T): T {
    const index = this.#next++;
    if (index < this.#reads.length) return this.#reads[index] as T;
    const value = live();
    this.#reads.push(value);
    this.#dirty.add(this);
    return value;
  }

  recording(): Recording {
    return { ...this.#of, reads: [...this.#reads] };
  }
}

/** Begins like the scopes of the sub-workflows that this run calls. */
export function wayTo({ scope = '', node, runIndex }: Scoped & Pick<NodeRun, 'node' | 'runIndex'>): string {
  return `${scope}/${JSON.stringify([node, runIndex]).slice(0, -1)},`;
}

function scoped(scope: string): { scope?: string } {
  return scope === '' ? {} : { scope };
}

function key(scope: string | undefined, node: string, runIndex: number): string {
  return `${scope ?? ''}\u0000${node}\u0000${runIndex}`;
}
