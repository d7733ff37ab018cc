import { z } from 'zod';
import { BottleneckKind } from '../watching/bottlenecks.ts';

export const WatchedPool = z.object({
  name: z.string(),
  paused: z.boolean(),
  ready: z.int().describe('Executions that could start now; an estimate beyond some thousands.'),
  blocked: z.int().describe('Executions that wait for a limit of their workflow.'),
  running: z.int(),
  waitMs: z.number().describe('Longest wait among the executions that are next, in milliseconds.'),
  arrivalsPerSecond: z.number(),
  endsPerSecond: z.number(),
  serviceMs: z.number().optional().describe('Mean time for which an execution holds its slot; absent until one has ended.'),
  runners: z.int().describe('Runners that take work.'),
  slots: z.int().describe('Executions that they can run at the same time.'),
  mode: z.enum(['Fixed', 'Queue', 'External']).optional().describe('Who decides on the number of runners; absent without a RunnerPool of this name.'),
  desired: z.int().optional().describe('Runners that are wanted now.'),
  minReplicas: z.int().optional(),
  maxReplicas: z.int().optional(),
  targetWaitMs: z.int().optional(),
  change: z.object({ time: z.string(), from: z.int(), to: z.int(), reason: z.string(), message: z.string() }).optional().describe('The last change of size by the queue, with why.'),
});

/** Queue, pools and database as they are now, and what limits them. */
export const Watching = z.object({
  pools: z.array(WatchedPool).readonly(),
  database: z.object({
    active: z.int().describe('Sessions of Millrace that run a statement.'),
    waiting: z.array(z.object({ event: z.string(), count: z.int() })).readonly().describe('What they wait for inside PostgreSQL.'),
    connections: z.int(),
    maxConnections: z.int(),
  }),
  nodes: z.array(z.object({
    pool: z.string(), namespace: z.string(), workflow: z.string(), node: z.string(), type: z.string(), host: z.string().optional(), runs: z.int(), meanMs: z.number(),
    share: z.number().describe('Part of the time of recent executions of the pool, 0 to 1.'),
  })).readonly().describe('Where recent executions spent their time, most first.'),
  bottlenecks: z.array(z.object({ kind: z.enum(BottleneckKind), pool: z.string().optional(), message: z.string(), advice: z.string() })).readonly()
    .describe('What limits throughput now, with what to change; empty when nothing does.'),
});
export type Watching = z.output<typeof Watching>;
