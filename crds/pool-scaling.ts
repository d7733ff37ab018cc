import * as z from 'zod';
import { cel } from './cel.ts';
import { listAtomic, listSet } from './list.ts';
import { timestamp } from './status.ts';

const ordered = cel({
  rule: '!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas',
  message: 'minReplicas may not be above maxReplicas',
  fieldPath: '.minReplicas',
});

const replicas = z.int32().min(0).max(1000);
const timeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/).max(5);

const schedule = z.strictObject({
  timezone: z.string().min(1).max(64).describe('Name in the IANA database, such as Europe/Berlin. Default UTC.').exactOptional(),
  days: listSet(z.enum(['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']), 7).describe('Days on which the window begins. Default: every day.').exactOptional(),
  from: timeOfDay.describe('Local time at which the window begins, as HH:MM.'),
  to: timeOfDay.describe('Local time at which it ends; on the next day when it is not after `from`.'),
  minReplicas: replicas.describe('Instead of that of the scaling.').exactOptional(),
  maxReplicas: replicas.min(1).describe('Instead of that of the scaling.').exactOptional(),
}).meta(ordered).describe('Other bounds during a part of the day. The first that applies counts.');

/** How a pool gets its size by itself. */
export const poolScaling = z.strictObject({
  mode: z.enum(['Queue', 'External']).describe(
    'Queue: the operator sets the size from the queue, and spec.replicas does nothing. External: spec.replicas counts, which an autoscaler sets through the scale subresource. Default Queue.').exactOptional(),
  minReplicas: replicas.describe('Lower bound. With 0 the pool has no pods while there is nothing to do. Default 1.').exactOptional(),
  maxReplicas: replicas.min(1).describe('Upper bound. Default 10, or minReplicas if that is more.').exactOptional(),
  targetWaitSeconds: z.int32().min(1).max(3600).describe('An execution that is ready should start within so many seconds. Default 10.').exactOptional(),
  scaleDown: z.strictObject({
    stabilizationSeconds: z.int32().min(0).max(3600).describe('Less must have been enough for so long before runners go. Default 120.').exactOptional(),
  }).describe('How runners are given up.').exactOptional(),
  schedules: listAtomic(schedule, 16).describe('Other bounds at certain times, such as more runners on working days.').exactOptional(),
}).meta(ordered);

export type PoolScaling = z.infer<typeof poolScaling>;
export type ScalingSchedule = z.infer<typeof schedule>;

/** A change of size, for the status. */
export const scaleDecision = z.strictObject({
  time: timestamp.describe('When it was made.'),
  from: replicas.describe('Runners that were wanted before.'),
  to: replicas.describe('Runners that were wanted then.'),
  reason: z.string().max(64).describe('Reason, as a code.'),
  message: z.string().max(1024).describe('The figures it was made of.'),
}).describe('One change of size.');

export type ScaleDecision = z.infer<typeof scaleDecision>;
