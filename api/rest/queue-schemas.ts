import { z } from 'zod';
import { executionId, Mode, NamespacePath, NodeRunData } from './schemas.ts';

/** What the API speaks about pools and dead letters. */

const timestamp = z.iso.datetime();
const poolName = z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/).max(63);

export const PoolPath = z.strictObject({ pool: poolName.describe('Name of the RunnerPool.') });

export const Pool = z.object({
  name: z.string(),
  paused: z.boolean().describe('Whether it takes no work now: its RunnerPool says so, or an administrator did.'),
  pausedBy: z.array(z.enum(['RunnerPool', 'Administrator'])).readonly().describe('Who paused it.'),
  ready: z.int().describe('Executions that could start now; an estimate beyond some thousands.'),
  delayed: z.int().describe('Executions that wait for a time or a call; counted up to some thousands.'),
  running: z.int(),
  demand: z.int().describe('Executions that want a slot: ready and running ones. Divided by the concurrency of a pod it is how many pods an autoscaler should ask for.'),
  runners: z.int().describe('Runners that are alive.'),
  oldestReadyMs: z.number().describe('Longest wait among the executions that are next, in milliseconds.'),
  maxRunning: z.int().optional(),
  maxQueued: z.int().optional(),
  namespaceMaxRunning: z.int().optional(),
  namespaceMaxQueued: z.int().optional(),
  maxCrashes: z.int().optional(),
});
export type Pool = z.output<typeof Pool>;

export const PoolList = z.object({ items: z.array(Pool).readonly() });

const Crash = z.object({
  reason: z.string().describe('Stable code: RunnerLost when the runner went silent, or what became of its executor.'),
  runner: z.string(),
  claimedAt: z.string(),
  crashedAt: z.string(),
  checkpoints: z.int().describe('Commits that were durable by then.'),
});

export const DeadLetter = z.object({
  id: z.string().describe('Id of the execution.'),
  namespace: z.string(),
  workflow: z.string(),
  revision: z.string(),
  mode: Mode,
  pool: z.string(),
  priority: z.int(),
  createdAt: timestamp,
  buriedAt: timestamp.describe('When it was given up.'),
  crashes: z.array(Crash).readonly().describe('Every time it took down whoever ran it, oldest first.'),
});
export type DeadLetter = z.output<typeof DeadLetter>;

export const DeadLetterDetail = DeadLetter.extend({
  trigger: z.object({ node: z.string().optional(), items: z.array(z.looseObject({ json: z.record(z.string(), z.unknown()) })).readonly() }),
  lastNode: z.string().optional().describe('Last node whose result was durable; what crashed came after it.'),
  runs: z.array(NodeRunData).readonly(),
});
export type DeadLetterDetail = z.output<typeof DeadLetterDetail>;

export const DeadLetterList = z.object({
  items: z.array(DeadLetter).readonly(),
  cursor: z.string().optional().describe('Pass it as `cursor` to get the next page; absent on the last one.'),
});
export type DeadLetterList = z.output<typeof DeadLetterList>;

export const DeadLetterPath = NamespacePath.extend({ id: executionId.describe('Id of the execution.') });

export const DeadLetterQuery = z.strictObject({
  workflow: z.string().max(253).optional().describe('Only of this Workflow.'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Page size.'),
  cursor: z.string().max(512).optional().describe('Where the previous page ended.'),
});

export const Done = z.object({ id: z.string().describe('Id of the execution.') });
