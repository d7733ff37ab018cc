import type { Clock } from './clock.ts';

export interface ManualClock extends Clock {
  /** Moves time forward, running every timer that falls due, each at its own time and in order. */
  advance(ms: number): Promise<void>;
  /** Timers not yet run or cancelled. */
  readonly pending: number;
}

/** A clock for tests: time moves only by `advance`, chance is `random`. */
export function manualClock(random: () => number = () => 0.5): ManualClock {
  let time = 0;
  let timers: { at: number; task: () => void }[] = [];
  return {
    now: () => 1_700_000_000_000 + time,
    monotonic: () => time,
    random,
    after(ms, task) {
      const timer = { at: time + Math.max(ms, 0), task };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms) {
      const until = time + ms;
      await settle();
      for (let next = earliest(timers, until); next; next = earliest(timers, until)) {
        const due = next;
        timers = timers.filter((other) => other !== due);
        time = due.at;
        due.task();
        await settle();
      }
      time = until;
    },
    get pending() {
      return timers.length;
    },
  };
}

function earliest(timers: { at: number; task: () => void }[], until: number): { at: number; task: () => void } | undefined {
  return timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
}

/** Lets promise reactions that are already due run. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
