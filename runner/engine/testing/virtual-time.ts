import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EngineHost } from '../host.ts';
import { testHost } from './test-host.ts';
import type { TestHost } from './test-host.ts';

interface Sleeper {
  at: number;
  wake: () => void;
}

/** A host whose clock goes on to the next sleeper's time whenever nothing else is left to do: what sleeps at the same time overlaps. */
export function virtualTimeHost(more: Partial<EngineHost> = {}): TestHost {
  const sleepers: Sleeper[] = [];
  let isPumping = false;
  async function pump(): Promise<void> {
    if (isPumping) return;
    isPumping = true;
    while (sleepers.length > 0) {
      // Long enough for everything that was woken to come to its next sleep.
      for (let turns = 0; turns < 4; turns += 1) await nextTurn();
      sleepers.sort((a, b) => a.at - b.at);
      const next = sleepers.shift();
      if (!next) break;
      host.clock = Math.max(host.clock, next.at);
      next.wake();
    }
    isPumping = false;
  }
  const host: TestHost = testHost({
    now: () => host.clock,
    sleep(ms, signal) {
      signal.throwIfAborted();
      return new Promise<void>((resolve, reject) => {
        const sleeper = { at: host.clock + ms, wake: resolve };
        sleepers.push(sleeper);
        signal.addEventListener('abort', () => {
          const index = sleepers.indexOf(sleeper);
          if (index >= 0) sleepers.splice(index, 1);
          reject(signal.reason);
        }, { once: true });
        void pump();
      });
    },
    ...more,
  });
  return host;
}
