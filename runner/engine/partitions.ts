import type { ErrorRecord, Item } from './item.ts';
import { ExecutionStatus } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';

/** How a node's items are divided: by exactly one of `count`, `bytes` and `key`. */
export interface DistributePolicy {
  /** Items in a part. */
  count?: number;
  /** About how many bytes of items are in a part; one item at least. */
  bytes?: number;
  /** Template, evaluated per item: items with the same value are one part. */
  key?: string;
  /** Parts under way at the same time. Default 10. */
  maxParallel?: number;
  /** What happens when more parts fail than may. Default Fail. */
  onFailure?: 'Fail' | 'Continue';
  /** Parts that may fail, of all or in percent of them. Default: none with Fail, all with Continue. */
  maxFailures?: number;
  maxFailedPercent?: number;
}

/** Parts of a node's items that executions of their own are to work on. */
export interface PartitionRequest {
  /** Id of the workflow. */
  workflow: string;
  revision?: string;
  /** The node that each part starts at. */
  start: string;
  node: string;
  maxParallel: number;
  /** More failures than this, and no more parts are started. */
  maxFailures: number;
  underError: boolean;
  /** `id`: the same in every life of the execution, so that asking again starts nothing twice. */
  parts: readonly { id: string; items: readonly Item[] }[];
}

/** How the execution of one part ended. */
export type PartitionResult = { outputs: readonly (readonly Item[])[] } | { error: ErrorRecord };

/** Of a part that nobody worked on. */
export const SKIPPED: PartitionResult = { error: { code: 'PartitionSkipped', message: 'It was not started, because too many other parts had failed.' } };

/** What an execution of a part gives to the one that distributes: the items of its last run. */
export function partitionResultOf({ status, error, lastNode, runs }: ExecutionResult): PartitionResult {
  if (status !== ExecutionStatus.Succeeded) return { error: error ?? { code: 'SubWorkflowFailed', message: `The execution ended as ${status}.` } };
  const last = runs.findLast(({ node }) => node === lastNode);
  return { outputs: (last?.outputs ?? []).map((items) => (items ?? []).map(({ json, binary }) => (binary ? { json, binary } : { json }))) };
}
