import { PgBoss } from 'pg-boss';
import { BATCH, ITEM, type OpenContender } from './queue-contender.ts';

const QUEUE = 'execute';

/** Its own fetch and complete in batches, without the polling of its workers. */
export const openPgBoss: OpenContender = async (url) => {
  const boss = new PgBoss({ connectionString: url, max: 16, supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue(QUEUE);
  const work = async (left: { count: number }): Promise<void> => {
    while (left.count > 0) {
      const jobs = await boss.fetch(QUEUE, { batchSize: BATCH });
      left.count -= jobs.length;
      if (jobs.length > 0) await boss.complete(QUEUE, jobs.map(({ id }) => id));
    }
  };
  return {
    name: 'pg-boss',
    async enqueue() { await boss.send(QUEUE, ITEM); },
    async enqueueBatch(count) { await boss.insert(QUEUE, Array.from({ length: count }, () => ({ data: ITEM }))); },
    async drain(count) {
      const left = { count };
      await Promise.all([work(left), work(left)]);
    },
    close: async () => boss.stop({ graceful: false }),
  };
};
