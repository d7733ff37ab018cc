import * as z from 'zod';
import { duration } from './duration.ts';

/** `cache` of a node. */
export const nodeCache = z.strictObject({
  ttl: duration.describe('How long a result is used again, such as 5m.'),
  key: z.string().min(1).max(4096).describe('Expression, evaluated for the first item: runs with the same value have the same result. Default: the input with all parameters.').exactOptional(),
});

const bound = z.union([z.int(), z.string().min(1).max(4096)]).meta({ 'x-kubernetes-int-or-string': true });

const distributeSource = z.strictObject({
  range: z.strictObject({
    from: bound.describe('The first index, a whole number or an expression. Default 0.').exactOptional(),
    to: bound.describe('The index behind the last one, a whole number or an expression.'),
  }).describe('Items {index}, one for each whole number of a range.').exactOptional(),
  file: z.string().min(1).max(253).describe('Name of the file beside the incoming item, such as data: an item for each of its records.').exactOptional(),
  format: z.enum(['lines', 'ndjson', 'csv']).describe('What the records of the file are: lines, as items {line}; lines that are JSON objects; or rows of CSV whose first one names the fields.').exactOptional(),
  delimiter: z.string().min(1).max(1).describe('What separates the fields of csv. Default a comma.').exactOptional(),
});

/** `distribute` of a node. Which fields go together is checked with the node's type. */
export const nodeDistribute = z.strictObject({
  count: z.int32().min(1).max(1_000_000).describe('Items in a part.').exactOptional(),
  bytes: z.int32().min(1).describe('About how many bytes of items are in a part; one item at least.').exactOptional(),
  key: z.string().min(1).max(4096).describe('Expression, evaluated for each item: items with the same value are one part.').exactOptional(),
  from: distributeSource.describe('Make the parts from a range or a file instead of the items, so that nobody has all items in memory. Needs count.').exactOptional(),
  collect: z.enum(['items', 'file', 'count', 'none']).describe('What becomes of what the parts put out: items (the default) come back; file makes one file with a line of JSON for each; count only counts them; none passes the input on.').exactOptional(),
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
