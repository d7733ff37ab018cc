import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionResult } from '../../runner/engine/node-run.ts';
import type { Claim } from '../../store/lease.ts';
import { channel } from '../../store/notifications.ts';
import type { Store } from '../../store/store.ts';

/** Executes claims of pool `default` by a function, without engine or executors: what the api needs on the other side of the queue. */
export async function startStandInRunner(store: Store, execute: (claim: Claim) => Promise<ExecutionResult>) {
  const stopping = new AbortController();
  let wake = new AbortController();
  const unlisten = await store.notifications.on(channel.work('default'), () => wake.abort());

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      const { claims } = await store.queue.claim({ pool: 'default', runner: 'stand-in', limit: 50 });
      const done = await Promise.all(claims.map(async (claim) => ({ executionId: claim.executionId, fence: claim.fence, save: claim.save, result: await execute(claim) })));
      if (done.length > 0) await store.queue.finish(done);
      else await pause(1000, undefined, { signal: AbortSignal.any([wake.signal, stopping.signal]) }).catch(() => undefined);
    }
  }

  const working = work();
  return {
    async stop() {
      stopping.abort();
      await working;
      await unlisten();
    },
  };
}
