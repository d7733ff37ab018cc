import type { BinaryReference, ErrorRecord, Item } from './item.ts';
import { ExecutionStatus } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import type { WorkflowDefinition } from './workflow.ts';

/** How a node's items are divided: by exactly one of `count`, `bytes` and `key`; with `from` by `count`. */
export interface DistributePolicy {
  /** Items in a part. */
  count?: number;
  /** About how many bytes of items are in a part; one item at least. */
  bytes?: number;
  /** Template, evaluated per item: items with the same value are one part. */
  key?: string;
  /** What the parts are made of instead of the items themselves: those are never in the memory of the execution that distributes. */
  from?: DistributeSource;
  /** What becomes of the items that the parts put out. Default items. */
  collect?: Collect;
  /** Parts under way at the same time. Default 10. */
  maxParallel?: number;
  /** What happens when more parts fail than may. Default Fail. */
  onFailure?: 'Fail' | 'Continue';
  /** Parts that may fail, of all or in percent of them. Default: none with Fail, all with Continue. */
  maxFailures?: number;
  maxFailedPercent?: number;
}

/** A range of whole numbers, or a file of the incoming item. */
export interface DistributeSource {
  /** Numbers or templates; `to` is not part of it. */
  range?: { from?: number | string; to: number | string };
  /** Name of the file beside the item. */
  file?: string;
  format?: FileFormat;
  /** What separates the fields of csv. Default a comma. */
  delimiter?: string;
}

export type FileFormat = 'lines' | 'ndjson' | 'csv';

/** items: they come back. file: they are lines of a file. count: they are only counted. none: the node puts out what it got. */
export type Collect = 'items' | 'file' | 'count' | 'none';

/** What a part is made of, when it is not items: whoever works on it makes or reads them. */
export type Slice =
  /** Items `{index}` with `from` ≤ index < `to`. */
  | { range: { from: number; to: number } }
  | { file: FileSlice };

/** Whole records of a stored file. */
export interface FileSlice {
  file: Pick<BinaryReference, 'id'>;
  format: FileFormat;
  /** In bytes. */
  offset: number;
  length: number;
  /** Names of the fields of csv. */
  header?: readonly string[];
  delimiter?: string;
}

export type PartContent = { items: readonly Item[] } | { slice: Slice };

/** One part. `id`: the same in every life of the execution, so that asking again starts nothing twice. */
export type Part = { id: string; position: number } & PartContent;

/** All parts of one run of a node. */
export interface PartitionBatch {
  /** The id of its first part. */
  id: string;
  /** Id of the workflow that runs for each part. */
  workflow: string;
  revision?: string;
  /** Instead of a revision: the definition of the workflow, which the host knows the revision of. */
  definition?: WorkflowDefinition;
  /** The node that each part starts at. */
  start: string;
  /** Each part runs that node alone. */
  only?: true;
  node: string;
  maxParallel: number;
  collect: Collect;
  underError: boolean;
}

/** How far the parts of a batch are. */
export interface BatchState {
  parts: number;
  /** That the parts put out at their first output. */
  items: number;
  failed: number;
  isOver: boolean;
}

/** Executions of their own that work on parts, each started once. */
export interface PartitionHost {
  /** Undefined as long as the batch is not sealed. */
  look(batch: string): Promise<BatchState | undefined>;
  /** Records parts; may be repeated. None starts before the batch is sealed. */
  add(batch: PartitionBatch, parts: readonly Part[]): Promise<void>;
  /** So many parts are all there are, and so many of them may fail: now they start. */
  seal(batch: string, limits: { parts: number; maxFailures: number }): Promise<BatchState>;
  /** Of parts that are over, in order. */
  results(batch: string, which: 'all' | 'failed'): Promise<readonly PositionedResult[]>;
  /** The lines of all parts, in order, as one file. */
  join(batch: string, about: Pick<BinaryReference, 'mimeType' | 'fileName'>): Promise<BinaryReference>;
}

/** How the execution of one part ended: with items per output; with their number and, for a file, the JSON of each on a line; or with an error. */
export type PartitionResult = { outputs: readonly (readonly Item[])[] } | { items: number; lines?: string } | { error: ErrorRecord };

export interface PositionedResult {
  position: number;
  result: PartitionResult;
}

/** Of a part that nobody worked on. */
export const SKIPPED: PartitionResult = { error: { code: 'PartitionSkipped', message: 'It was not started, because too many other parts had failed.' } };

/** How many items a part put out at its first output. */
export function itemsIn(result: PartitionResult): number {
  if ('error' in result) return 0;
  return 'outputs' in result ? result.outputs[0]?.length ?? 0 : result.items;
}

/** What an execution of a part gives to the one that distributes: the items of its last run, or what is to be kept of them. */
export function partitionResultOf({ status, error, lastNode, runs }: ExecutionResult, collect: Collect = 'items'): PartitionResult {
  if (status !== ExecutionStatus.Succeeded) return { error: error ?? { code: 'SubWorkflowFailed', message: `The execution ended as ${status}.` } };
  const outputs = runs.findLast(({ node }) => node === lastNode)?.outputs ?? [];
  if (collect === 'items') return { outputs: outputs.map((items) => (items ?? []).map(({ json, binary }) => (binary ? { json, binary } : { json }))) };
  const items = outputs[0] ?? [];
  if (collect !== 'file') return { items: items.length };
  return { items: items.length, lines: items.map(({ json }) => `${JSON.stringify(json)}\n`).join('') };
}
