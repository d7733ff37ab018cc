import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { BATCH, ITEM, type OpenContender } from './queue-contender.ts';

const logger = new Logger(() => () => undefined);

/** Tuned as its documentation says for throughput: local queue and batched completion. */
export const openGraphileWorker: OpenContender = async (url) => {
  const utils = await makeWorkerUtils({ connectionString: url, maxPoolSize: 16, logger });
  await utils.migrate();
  return {
    name: 'graphile-worker',
    async enqueue() { await utils.addJob('execute', ITEM); },
    async enqueueBatch(count) { await utils.addJobs(Array.from({ length: count }, () => ({ identifier: 'execute', payload: ITEM }))); },
    async drain(count) {
      let done = 0;
      const { promise, resolve } = Promise.withResolvers<void>();
      const runner = await run({
        logger, connectionString: url, maxPoolSize: 16, noHandleSignals: true,
        preset: { worker: { concurrentJobs: 24, localQueue: { size: BATCH }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
        taskList: { execute: () => { done += 1; if (done === count) resolve(); } },
      });
      await promise;
      // Stopping flushes the completions, which are part of the work.
      await runner.stop();
    },
    async close() { await utils.release(); },
  };
};
