import { z } from 'zod';
import { WorkflowPath } from './schemas.ts';

const timestamp = z.iso.datetime({ offset: true });

export const Schedule = z.object({
  namespace: z.string(),
  workflow: z.string(),
  node: z.string(),
  timezone: z.string().describe('IANA name.'),
  next: z.iso.datetime().optional().describe('When it fires next, jitter included; absent when it never does.'),
  since: z.iso.datetime().describe('When it came into force.'),
  fired: z.int().describe('Executions it has started since.'),
  missed: z.int().describe('Ticks it has passed over since.'),
  misfire: z.enum(['skip', 'latest', 'all']),
});

export const ScheduleList = z.object({
  items: z.array(Schedule).readonly(),
  cursor: z.string().optional().describe('Pass it as `cursor` to get the next page; absent on the last one.'),
});

export const ScheduleQuery = z.strictObject({
  workflow: WorkflowPath.shape.workflow.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Page size.'),
  cursor: z.string().max(1024).optional().describe('Where the previous page ended.'),
});

export const Backfill = z.strictObject({
  from: timestamp.describe('First moment whose tick is executed.'),
  to: timestamp.describe('Moment up to which, itself not included; at the latest now.'),
  node: z.string().min(1).max(256).optional().describe('Only this schedule trigger of the workflow.'),
  dryRun: z.boolean().default(false).describe('Only say which ticks there are.'),
});

export const Backfilled = z.object({
  items: z.array(z.object({
    node: z.string(),
    tick: z.iso.datetime(),
    id: z.string().optional().describe('Its execution; absent in a dry run.'),
    duplicate: z.boolean().optional().describe('Whether the tick had been executed already.'),
    refused: z.string().optional().describe('Why it was not accepted.'),
  })).readonly(),
});
