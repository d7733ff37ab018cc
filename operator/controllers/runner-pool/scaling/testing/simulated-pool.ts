import type { RunnerReport } from '../../../../../store/queue.ts';
import { decide } from '../decide.ts';
import type { Decision, ScalingMemory, ScalingPolicy } from '../decide.ts';
import { LoadMeter } from '../../../../../store/load-meter.ts';

export interface SimulationOptions {
  policy: ScalingPolicy;
  slotsPerRunner: number;
  /** From the decision until a runner takes work, in milliseconds. */
  startMs: number;
  /** Executions per second at a time (milliseconds from the start). */
  rate(at: number): number;
  /** Milliseconds for which one execution holds its slot; called once for each. */
  serviceMs(): number;
  lengthMs: number;
  /** Runners there are at first. Default: minReplicas. */
  replicas?: number;
  /** Work that waits at first. Default 0. */
  backlog?: number;
}

export interface Simulated {
  /** How long each execution waited, in milliseconds, in order of arrival. */
  waits: { at: number; ms: number }[];
  /** Each change of size. */
  changes: { at: number; from: number; to: number; reason: string; message: string }[];
  /** Runner milliseconds that were paid for. */
  cost: number;
  /** Executions that no runner had started at the end. */
  left: number;
}

interface Runner extends RunnerReport {
  readyAt: number;
  /** What it runs. */
  current: { end: number; ms: number }[];
  draining: boolean;
}

const STEP_MS = 100;
/** As often as runners renew their leases, and the operator looks. */
const REPORT_MS = 2000;
const DECIDE_MS = 2000;
/** The operator is told of work; it does not look more often than this. */
const HEAR_MS = 500;

/** A pool under a load in simulated time, scaled by the real `decide` from reports as late as real ones. */
export class SimulatedPool {
  readonly #options: SimulationOptions;
  readonly #meter = new LoadMeter();
  readonly #queue: number[] = [];
  readonly #waits: Simulated['waits'] = [];
  readonly #changes: Simulated['changes'] = [];
  #runners: Runner[] = [];
  #reports: RunnerReport[] = [];
  #memory: ScalingMemory | undefined;
  #replicas: number;
  #due = 0;
  #names = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#replicas = options.replicas ?? options.policy.minReplicas;
    for (let n = 0; n < this.#replicas; n += 1) this.#addRunner(0);
    for (let n = 0; n < (options.backlog ?? 0); n += 1) this.#queue.push(0);
  }

  run(): Simulated {
    let cost = 0;
    let decidedAt = -Infinity;
    for (let at = 0; at < this.#options.lengthMs; at += STEP_MS) {
      const heard = this.#arrive(at);
      this.#work(at);
      if (at % REPORT_MS === 0) this.#reports = this.#runners.filter(({ readyAt }) => readyAt <= at).map(reportOf);
      if (at - decidedAt >= (heard ? HEAR_MS : DECIDE_MS)) {
        decidedAt = at;
        this.#scale(at);
      }
      cost += this.#runners.length * STEP_MS;
    }
    return { waits: this.#waits, changes: this.#changes, cost, left: this.#queue.length };
  }

  #arrive(at: number): boolean {
    this.#due += this.#options.rate(at) * STEP_MS / 1000;
    const count = Math.floor(this.#due);
    this.#due -= count;
    for (let n = 0; n < count; n += 1) this.#queue.push(at);
    return count > 0;
  }

  #work(at: number): void {
    for (const runner of this.#runners) {
      for (const { end, ms } of runner.current) {
        if (end > at) continue;
        runner.ended += 1;
        runner.busyMs += ms;
      }
      runner.current = runner.current.filter(({ end }) => end > at);
      runner.busy = runner.current.length;
      if (runner.readyAt <= at && !runner.draining) this.#claim(runner, at);
    }
    this.#runners = this.#runners.filter(({ draining, busy }) => !draining || busy > 0);
  }

  #claim(runner: Runner, at: number): void {
    const free = Math.min(runner.slots - runner.current.length, this.#queue.length);
    for (const arrived of this.#queue.splice(0, free)) {
      const ms = this.#options.serviceMs();
      this.#waits.push({ at: arrived, ms: at - arrived });
      runner.current.push({ end: at + ms, ms });
      runner.started += 1;
    }
    runner.busy = runner.current.length;
  }

  #scale(at: number): void {
    const { policy, slotsPerRunner, startMs } = this.#options;
    const load = this.#meter.add(at, {
      ready: this.#queue.length, oldestReadyMs: this.#queue.length > 0 ? at - (this.#queue[0] ?? at) : 0,
      running: this.#reports.reduce((sum, { busy }) => sum + busy, 0), reports: this.#reports,
    });
    const decision: Decision = decide({ now: at, load, policy, slotsPerRunner, replicas: this.#replicas, ...(this.#memory && { memory: this.#memory }) });
    this.#memory = decision.memory;
    if (decision.replicas === this.#replicas) return;
    this.#changes.push({ at, from: this.#replicas, to: decision.replicas, reason: decision.reason, message: decision.message });
    for (let n = this.#replicas; n < decision.replicas; n += 1) this.#addRunner(at + startMs);
    const idleFirst = this.#runners.filter(({ draining }) => !draining).sort((a, b) => a.busy - b.busy);
    for (const runner of idleFirst.slice(0, Math.max(0, this.#replicas - decision.replicas))) {
      runner.draining = true;
      runner.slots = 0;
    }
    this.#replicas = decision.replicas;
  }

  #addRunner(readyAt: number): void {
    this.#names += 1;
    this.#runners.push({
      name: `runner-${this.#names}`, slots: this.#options.slotsPerRunner, busy: 0, started: 0, ended: 0, busyMs: 0, readyAt, current: [], draining: false,
    });
  }
}

function reportOf({ name, slots, busy, started, ended, busyMs }: Runner): RunnerReport {
  return { name, slots, busy, started, ended, busyMs };
}

/** Repeatable chance: uniform in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
