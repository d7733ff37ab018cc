import type { PoolStats, RunnerReport } from './queue.ts';

/** A pool as it is at one moment: what a scaling decision is made of. */
export interface PoolLoad {
  /** Executions that could start now. */
  ready: number;
  /** Longest wait among them, in milliseconds. */
  oldestWaitMs: number;
  /** Executions on runners. */
  running: number;
  /** Executions that became ready, per second, lately. */
  arrivalsPerSecond: number;
  /** Executions that left their slot, per second, lately. */
  endsPerSecond: number;
  /** Mean time for which an execution holds a slot, in milliseconds; undefined until one has ended. */
  serviceMs: number | undefined;
  /** Runners that take work. */
  runners: number;
}

export type LoadSample = Pick<PoolStats, 'ready' | 'oldestReadyMs' | 'running'> & { reports: readonly RunnerReport[] };

/** Sums since the meter began. */
interface Point {
  at: number;
  arrived: number;
  ended: number;
  busyMs: number;
  running: number;
}

const RATE_MS = 20_000;
const SERVICE_MS = 60_000;

/** Makes rates out of samples of one pool. Runners count from 0 when they start, and come and go. */
export class LoadMeter {
  #points: Point[] = [];
  #reports = new Map<string, RunnerReport>();
  #started = 0;
  #ended = 0;
  #busyMs = 0;
  #serviceMs: number | undefined;

  /** `at`: monotonic milliseconds. */
  add(at: number, { ready, oldestReadyMs, running, reports }: LoadSample): PoolLoad {
    this.#count(reports);
    const now: Point = { at, arrived: this.#started + ready, ended: this.#ended, busyMs: this.#busyMs, running };
    this.#points.push(now);
    // The one before the window is kept: it is what the window is measured against.
    while ((this.#points[1]?.at ?? at) <= at - SERVICE_MS) this.#points.shift();
    this.#serviceMs = this.#service(now);
    return {
      ready, running, oldestWaitMs: oldestReadyMs,
      arrivalsPerSecond: this.#rate(now, ({ arrived }) => arrived),
      endsPerSecond: this.#rate(now, (point) => point.ended),
      serviceMs: this.#serviceMs,
      runners: reports.filter(({ slots }) => slots > 0).length,
    };
  }

  #count(reports: readonly RunnerReport[]): void {
    const isFirst = this.#points.length === 0;
    for (const report of reports) {
      // What a runner did before the meter began is not known in time.
      const before = this.#reports.get(report.name) ?? (isFirst ? report : { started: 0, ended: 0, busyMs: 0 });
      this.#started += report.started - before.started;
      this.#ended += report.ended - before.ended;
      this.#busyMs += report.busyMs - before.busyMs;
    }
    this.#reports = new Map(reports.map((report) => [report.name, report]));
  }

  #rate(now: Point, read: (point: Point) => number): number {
    const from = this.#points.findLast(({ at }) => at <= now.at - RATE_MS) ?? this.#points[0] ?? now;
    // A meter that has just begun must not take one second for the rule.
    return Math.max(0, read(now) - read(from)) * 1000 / Math.max(RATE_MS / 2, now.at - from.at);
  }

  /**
   * Of those that ended, and of the slot time of all: the second tells of long executions before any of them has ended, which the first would
   * learn only from the short ones among them.
   */
  #service(now: Point): number | undefined {
    const from = this.#points[0] ?? now;
    const ended = now.ended - from.ended;
    const held = this.#points.reduce((sum, { at, running }, index) => sum + running * (at - (this.#points[index - 1]?.at ?? at)), 0);
    const known = ended > 0 ? (now.busyMs - from.busyMs) / ended : this.#serviceMs;
    const least = held / Math.max(1, ended, now.running);
    return known === undefined && least === 0 ? undefined : Math.max(known ?? 0, least);
  }
}
