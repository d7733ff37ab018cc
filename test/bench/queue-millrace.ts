import { coalesce } from '../../store/coalesce.ts';
import type { EnqueueRequest } from '../../store/request.ts';
import { migrate, openStore } from '../../store/store.ts';
import { BATCH, ITEM, type OpenContender } from './queue-contender.ts';

const request: EnqueueRequest = { namespace: 'bench', workflow: 'intake', mode: 'Webhook', trigger: { node: 'Order', items: [ITEM] } };
const runs = [{ node: 'Order', runIndex: 0, status: 'success', source: [null], outputs: [[ITEM]], startedAt: 0, durationMs: 1 }] as const;

/** With revision pinning, fences, fair and aged order, and the history with its node data: what a real execution costs. */
export const openMillrace: OpenContender = async (url) => {
  await migrate({ url, applicationName: 'bench' });
  const store = await openStore({ url, applicationName: 'bench', poolSize: 16 });
  const { revision } = await store.revisions.put({
    namespace: 'bench', workflow: 'intake', uid: 'bench', definition: { id: 'bench/intake', name: 'intake', nodes: [], connections: [] },
  });
  await store.routes.apply({
    namespace: 'bench', workflow: 'intake', uid: 'bench', active: true, stable: revision, pool: 'bench', priority: 5, save: { success: 'All', failure: 'All' }, triggers: [],
  });
  const one = coalesce(async (batch: readonly EnqueueRequest[]) => store.queue.enqueue(batch), { concurrency: 2, max: 500 });
  let runners = 0;

  async function work(left: { count: number }): Promise<void> {
    const runner = `bench-${runners += 1}`;
    while (left.count > 0) {
      const { claims } = await store.queue.claim({ pool: 'bench', runner, limit: BATCH });
      left.count -= claims.length;
      const lost = await store.queue.finish(claims.map(({ executionId, fence, save }) => ({ executionId, fence, save, result: { status: 'Succeeded', runs } })));
      if (lost.length > 0) throw new Error('Lost a lease');
    }
    await store.queue.leave(runner);
  }

  return {
    name: 'millrace',
    async enqueue() { await one(request); },
    async enqueueBatch(count) { await store.queue.enqueue(Array.from({ length: count }, () => request)); },
    async drain(count) {
      const left = { count };
      await Promise.all([work(left), work(left)]);
    },
    close: async () => store.close(),
  };
};
