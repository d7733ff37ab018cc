import { MAX_TIMER_MS } from './clock.ts';
import type { Clock } from './clock.ts';

/** The machine's own clock. Its timers keep the process alive: a controller that waits for a server to return must not exit. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
