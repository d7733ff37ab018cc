import * as z from 'zod';
import { duration } from './duration.ts';

const groupKey = z.string().min(1).max(256).regex(/^[^.\s]+(\.[^.\s]+)*$/)
  .describe('Path into the JSON of the first item of the trigger, such as body.customerId: executions with the same value are a group with a limit of its own. Default: the whole workflow is one group.')
  .exactOptional();

/** `settings.concurrency` of a Workflow. */
export const concurrencyLimit = z.strictObject({
  max: z.int32().min(1).max(100_000).describe('Executions that are under way at the same time, those that wait for a time or a call included.'),
  key: groupKey,
  policy: z.enum(['Queue', 'Drop', 'Replace'])
    .describe('What becomes of an execution above the limit: it waits its turn (Queue, the default), it is refused (Drop), or the oldest of its group is canceled for it (Replace).').exactOptional(),
});

/** `settings.rateLimit` of a Workflow. */
export const rateLimit = z.strictObject({
  count: z.int32().min(1).max(1_000_000).describe('Executions that may start at once; as many more may start, evenly, within every period.'),
  per: duration.describe('The period, such as 1m.'),
  key: groupKey,
  policy: z.enum(['Queue', 'Drop']).describe('What becomes of an execution that comes too soon: it starts later (Queue, the default) or is refused (Drop).').exactOptional(),
});
