import * as z from 'zod';
import { duration } from './duration.ts';

/** `cache` of a node. */
export const nodeCache = z.strictObject({
  ttl: duration.describe('How long a result is used again, such as 5m.'),
  key: z.string().min(1).max(4096).describe('Expression, evaluated for the first item: runs with the same value have the same result. Default: the input with all parameters.').exactOptional(),
});

/** `distribute` of a node. Which fields go together is checked with the node's type. */
export const nodeDistribute = z.strictObject({
  count: z.int32().min(1).max(1_000_000).describe('Items in a part.').exactOptional(),
  bytes: z.int32().min(1).describe('About how many bytes of items are in a part; one item at least.').exactOptional(),
  key: z.string().min(1).max(4096).describe('Expression, evaluated for each item: items with the same value are one part.').exactOptional(),
  maxParallel: z.int32().min(1).max(1000).describe('Parts under way at the same time. Default 10.').exactOptional(),
  onFailure: z.enum(['Fail', 'Continue']).describe('Whether the node fails with the first part that fails (Fail, the default) or goes on, with the items of failed parts as failed items (Continue).').exactOptional(),
  maxFailures: z.int32().min(0).max(10_000).describe('Parts that may fail; with more the node fails. Default: none with Fail, all with Continue.').exactOptional(),
  maxFailedPercent: z.int32().min(0).max(100).describe('The same in percent of all parts.').exactOptional(),
});

/** `settings.circuitBreaker` of a Workflow. */
export const circuitBreaker = z.strictObject({
  failurePercent: z.int32().min(1).max(100).describe('Share of failed requests that opens the circuit. Default 50.').exactOptional(),
  minimumRequests: z.int32().min(1).max(10_000).describe('Fewer requests within the window open nothing. Default 10.').exactOptional(),
  window: duration.describe('How far back requests count: 1s to 10m. Default 30s.').exactOptional(),
  openFor: duration.describe('How long no request is sent before one is tried: 100ms to 10m; doubles, up to 10m, each time that one fails. Default 30s.').exactOptional(),
});

/** `settings.transaction` of a Workflow. */
export const transaction = z.strictObject({
  credential: z.string().min(1).max(253).describe('Name of a credential of type postgres, as the nodes have it.'),
});

/** `settings.retryBudget` of a Workflow. */
export const retryBudget = z.strictObject({
  retries: z.int32().min(0).max(1_000_000).describe('Tries after the first that nodes with effects may make at once, on each runner; as many more come back, evenly, within every period.'),
  per: duration.describe('The period, such as 1m.'),
});
