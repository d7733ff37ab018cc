import { decide } from '../../operator/controllers/runner-pool/scaling/decide.ts';
import type { ScalingMemory, ScalingPolicy } from '../../operator/controllers/runner-pool/scaling/decide.ts';
import { LoadMeter } from '../../store/load-meter.ts';
import type { RunnerReport } from '../../store/queue.ts';

/** What the statements of a queue cost PostgreSQL, in milliseconds of processor time, as measured. */
export interface StatementCosts {
  /** Of one claim that finds nothing. */
  emptyClaim: number;
  /** Of one claim, and of each execution in it. */
  claim: number;
  claimed: number;
  /** Of one finish, and of each execution in it. */
  finish: number;
  finished: number;
  renew: number;
  /** Of each execution that is queued, in batches. */
  queued: number;
}

export interface QueueSimulation {
  costs: StatementCosts;
  /** Processors of PostgreSQL. */
  cores: number;
  /** From a statement's end in PostgreSQL until the runner has the answer: network and commit, in milliseconds. */
  answerMs: number;
  slots: number;
  /** Milliseconds for which one execution holds a slot besides its statements. */
  serviceMs: number;
  /** Executions that one runner can compute per second, whatever its slots. */
  runnerLimit: number;
  /** Executions per second that arrive. */
  rate: number;
  lengthMs: number;
  /** Runners; or how they are scaled, by the real `decide`. */
  runners: number | { policy: ScalingPolicy; startMs: number };
}

export interface QueueSimulated {
  /** Executions that ended per second in the second half. */
  perSecond: number;
  /** Part of PostgreSQL's processors that is busy, and of that what claims that found nothing take. */
  database: number;
  emptyClaims: number;
  /** Part of the slots of all runners that is taken. */
  slots: number;
  /** Executions per claim. */
  batch: number;
  runners: number;
  /** Executions that wait at the end. */
  waiting: number;
}

interface Runner extends RunnerReport {
  readyAt: number;
  claiming: boolean;
  finishing: boolean;
  /** What has ended and is not stored yet. */
  toStore: number;
  draining: boolean;
  /** When its processor is free. */
  freeAt: number;
}

/** Events in order of time. */
class Agenda {
  readonly #heap: { at: number; run: () => void }[] = [];

  add(at: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at, run });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (this.#at(parent) <= this.#at(child)) return;
      this.#swap(parent, child);
      child = parent;
    }
  }

  next(): { at: number; run: () => void } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      const least = this.#at(right) < this.#at(left) ? right : left;
      if (this.#at(least) >= this.#at(parent)) return first;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #at(index: number): number {
    return this.#heap[index]?.at ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap;
    const [one, other] = [heap[a], heap[b]];
    if (one && other) [heap[a], heap[b]] = [other, one];
  }
}

const ENQUEUE_MS = 20;
const POLL_MS = 1000;
const RENEW_MS = 2000;
const DECIDE_MS = 2000;

/**
 * A pool of any number of runners on one PostgreSQL, event by event: statements queue for the database's processors and cost what was measured,
 * runners claim what fits when they are told of work and when slots become free, look once a second when idle, and gather ends into one finish.
 */
export function simulateQueue(options: QueueSimulation): QueueSimulated {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: QueueSimulation;
  readonly #agenda = new Agenda();
  readonly #cores: number[];
  readonly #meter = new LoadMeter();
  readonly #counts = { ended: 0, busyMs: 0, emptyMs: 0, claims: 0, claimed: 0, slotMs: 0 };
  #runners: Runner[] = [];
  #waiting: number[] = [];
  #head = 0;
  #due = 0;
  #now = 0;
  #memory: ScalingMemory | undefined;

  constructor(options: QueueSimulation) {
    this.#options = options;
    this.#cores = Array.from({ length: options.cores }, () => 0);
    const count = typeof options.runners === 'number' ? options.runners : options.runners.policy.minReplicas;
    for (let n = 0; n < count; n += 1) this.#addRunner(0);
    this.#agenda.add(0, () => this.#arrive());
    if (typeof options.runners !== 'number') this.#agenda.add(0, () => this.#scale());
  }

  run(): QueueSimulated {
    const { lengthMs, cores, slots } = this.#options;
    let half: { ended: number; busyMs: number; emptyMs: number; slotMs: number } | undefined;
    for (let event = this.#agenda.next(); event && event.at <= lengthMs; event = this.#agenda.next()) {
      this.#now = event.at;
      if (!half && this.#now >= lengthMs / 2) half = { ...this.#counts };
      event.run();
    }
    const from = half ?? { ended: 0, busyMs: 0, emptyMs: 0, slotMs: 0 };
    const ms = lengthMs / 2;
    return {
      perSecond: (this.#counts.ended - from.ended) * 1000 / ms,
      database: (this.#counts.busyMs - from.busyMs) / (ms * cores),
      emptyClaims: (this.#counts.emptyMs - from.emptyMs) / Math.max(1, this.#counts.busyMs - from.busyMs),
      slots: (this.#counts.slotMs - from.slotMs) / (ms * slots * Math.max(1, this.#runners.length)),
      batch: this.#counts.claimed / Math.max(1, this.#counts.claims),
      runners: this.#runners.filter(({ draining }) => !draining).length,
      waiting: this.#waiting.length - this.#head,
    };
  }

  /** Runs a statement on the processor that is free first. */
  #statement(costMs: number, then: () => void): void {
    let core = 0;
    this.#cores.forEach((at, index) => { if (at < (this.#cores[core] ?? 0)) core = index; });
    const end = Math.max(this.#now, this.#cores[core] ?? 0) + costMs;
    this.#cores[core] = end;
    this.#counts.busyMs += costMs;
    this.#agenda.add(end, then);
  }

  #arrive(): void {
    const { rate, costs, answerMs } = this.#options;
    this.#due += rate * ENQUEUE_MS / 1000;
    const count = Math.floor(this.#due);
    this.#due -= count;
    this.#agenda.add(this.#now + ENQUEUE_MS, () => this.#arrive());
    if (count === 0) return;
    this.#statement(count * costs.queued, () => {
      for (let n = 0; n < count; n += 1) this.#waiting.push(this.#now);
      // Everybody who listens is told.
      this.#agenda.add(this.#now + answerMs, () => { for (const runner of this.#runners) this.#claim(runner); });
    });
  }

  #claim(runner: Runner): void {
    const { slots, costs, answerMs } = this.#options;
    const free = slots - runner.busy;
    if (runner.claiming || runner.draining || runner.readyAt > this.#now || free <= 0) return;
    runner.claiming = true;
    const got = Math.min(free, this.#waiting.length - this.#head);
    const arrived = this.#waiting.slice(this.#head, this.#head + got);
    this.#head += got;
    if (this.#head > 100_000) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    const cost = got === 0 ? costs.emptyClaim : costs.claim + got * costs.claimed;
    if (got === 0) this.#counts.emptyMs += cost;
    else this.#counts.claims += 1;
    this.#counts.claimed += got;
    runner.busy += got;
    this.#statement(cost, () => this.#agenda.add(this.#now + answerMs, () => {
      runner.claiming = false;
      for (const _ of arrived) this.#execute(runner);
      if (got === free) this.#claim(runner);
    }));
  }

  #execute(runner: Runner): void {
    const { serviceMs, runnerLimit } = this.#options;
    const from = this.#now;
    runner.started += 1;
    runner.freeAt = Math.max(runner.freeAt, from) + 1000 / runnerLimit;
    this.#agenda.add(Math.max(runner.freeAt, from + serviceMs), () => {
      runner.toStore += 1;
      runner.busyMs += this.#now - from;
      this.#counts.slotMs += this.#now - from;
      this.#finish(runner);
    });
  }

  #finish(runner: Runner): void {
    if (runner.finishing || runner.toStore === 0) return;
    const { costs, answerMs } = this.#options;
    const count = runner.toStore;
    runner.toStore = 0;
    runner.finishing = true;
    this.#statement(costs.finish + count * costs.finished, () => this.#agenda.add(this.#now + answerMs, () => {
      runner.finishing = false;
      runner.busy -= count;
      runner.ended += count;
      this.#counts.ended += count;
      this.#finish(runner);
      this.#claim(runner);
    }));
  }

  #addRunner(readyAt: number): void {
    const runner: Runner = {
      name: `runner-${this.#runners.length}-${readyAt}`, slots: this.#options.slots, busy: 0, started: 0, ended: 0, busyMs: 0,
      readyAt, claiming: false, finishing: false, toStore: 0, draining: false, freeAt: 0,
    };
    this.#runners.push(runner);
    // Not all at the same moment.
    const shift = (this.#runners.length * 37) % POLL_MS;
    const every = (ms: number, run: () => void): void => {
      if (runner.draining) return;
      run();
      this.#agenda.add(this.#now + ms, () => every(ms, run));
    };
    this.#agenda.add(readyAt + shift, () => every(POLL_MS, () => this.#claim(runner)));
    this.#agenda.add(readyAt + shift, () => every(RENEW_MS, () => this.#statement(this.#options.costs.renew, () => undefined)));
  }

  #scale(): void {
    const { runners, slots } = this.#options;
    if (typeof runners === 'number') return;
    this.#agenda.add(this.#now + DECIDE_MS, () => this.#scale());
    const live = this.#runners.filter(({ draining }) => !draining);
    const reports = live.filter(({ readyAt }) => readyAt <= this.#now).map(({ name, slots: has, busy, started, ended, busyMs }) => ({ name, slots: has, busy, started, ended, busyMs }));
    const load = this.#meter.add(this.#now, {
      ready: this.#waiting.length - this.#head, oldestReadyMs: this.#now - (this.#waiting[this.#head] ?? this.#now),
      running: reports.reduce((sum, { busy }) => sum + busy, 0), reports,
    });
    const decision = decide({ now: this.#now, load, policy: runners.policy, replicas: live.length, slotsPerRunner: slots, ...(this.#memory && { memory: this.#memory }) });
    this.#memory = decision.memory;
    for (let n = live.length; n < decision.replicas; n += 1) this.#addRunner(this.#now + runners.startMs);
    for (const runner of live.sort((a, b) => a.busy - b.busy).slice(0, Math.max(0, live.length - decision.replicas))) runner.draining = true;
  }
}
