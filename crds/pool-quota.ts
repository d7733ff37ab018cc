import * as z from 'zod';

const maxRunning = z.int32().min(1).max(1_000_000);
const maxQueued = z.int32().min(1).max(100_000_000);

/** `quota` of a RunnerPool. */
export const poolQuota = z.strictObject({
  maxRunning: maxRunning.describe('Executions that run at the same time over all runners of the pool. Default: what its runners have room for.').exactOptional(),
  maxQueued: maxQueued.describe('Executions that may wait; more are refused with QueueFull. Default 1000000.').exactOptional(),
  perNamespace: z.strictObject({
    maxRunning: maxRunning.describe('Executions of one namespace that run at the same time. Default: no limit.').exactOptional(),
    maxQueued: maxQueued.describe('Executions of one namespace that may wait. Default: no limit.').exactOptional(),
  }).describe('The same for any one namespace.').exactOptional(),
});
