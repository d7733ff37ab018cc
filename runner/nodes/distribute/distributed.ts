import type { Distributed } from '../../engine/distribute.ts';
import { WorkflowError } from '../../engine/error.ts';
import type { BinaryReference, Item } from '../../engine/item.ts';
import type { NodeContext, NodeOutput, NodeType } from '../../engine/node-type.ts';
import type { DistributePolicy, PositionedResult } from '../../engine/partitions.ts';
import { OnError } from '../../engine/workflow.ts';
import { asText } from '../json-value.ts';
import { bounded, partsOf, slicesOf } from './parts.ts';
import { failedPart, inSequence, together } from './together.ts';

const MAX_PARALLEL = 10;
/** Of the file that a node puts out. */
const PROPERTY = 'data';

/** What is distributed: to a workflow, by its id, or to the node itself. */
export interface Work {
  workflow?: string;
  /** Without `from`. */
  items(): readonly Item[];
}

/** The same node type, whose work may be distributed: a part of it runs the node alone, or with its body. */
export function byParts(type: NodeType, unit: 'Node' | 'Loop' = 'Node'): NodeType {
  return {
    ...type,
    distributable: () => unit,
    execute: (context) => (context.distribute ? distributed(context, context.distribute, { items: () => context.input() }) : type.execute(context)),
  };
}

/** Has the parts of the work done in executions of their own, and puts together what they give. */
export async function distributed(context: NodeContext, policy: DistributePolicy, { workflow, items }: Work): Promise<NodeOutput> {
  const { collect = 'items', from, count = 1 } = policy;
  const given = from ? [] : items();
  const parts = partsOf(given, policy, (template, index) => context.evaluate(template, index));
  const done = await context.runPartitions({
    ...(workflow !== undefined && { workflow }), collect, maxParallel: policy.maxParallel ?? MAX_PARALLEL,
    maxFailures: (total) => allowedFailures(policy, total),
    parts: () => bounded(from ? slicesOf(context, from, count) : parts.map((indexes) => ({ items: indexes.flatMap((index) => given[index] ?? []) }))),
  });
  if (!done) return { wait: { on: 'partitions' } };
  const failures = done.failed === 0 ? [] : await done.results('failed');
  refuseTooMany(policy, done, failures);
  if (collect !== 'items') return [[...await summary(context, collect, done), ...failedItems(context, failures)]];
  const results = await done.results('all');
  return from ? inSequence(results) : together(context, parts, results);
}

function allowedFailures({ onFailure = 'Fail', maxFailures, maxFailedPercent }: DistributePolicy, parts: number): number {
  if (maxFailures !== undefined) return Math.min(maxFailures, parts);
  if (maxFailedPercent !== undefined) return Math.floor((parts * maxFailedPercent) / 100);
  return onFailure === 'Fail' ? 0 : parts;
}

function refuseTooMany(policy: DistributePolicy, { parts, failed }: Distributed, [first]: readonly PositionedResult[]): void {
  const allowed = allowedFailures(policy, parts);
  if (failed <= allowed || !first || !('error' in first.result)) return;
  const { position, result: { error } } = first;
  throw new WorkflowError('PartitionsFailed', `${failed} of ${parts} parts failed, and ${allowed} may. The first is part ${position}: ${error.code}: ${asText(error.message)}`, { nonRetryable: true });
}

async function summary(context: NodeContext, collect: 'file' | 'count' | 'none', done: Distributed): Promise<Item[]> {
  if (collect === 'none') return [...context.input()];
  const { parts, items, failed } = done;
  const json = { parts, items, failed };
  return [collect === 'file' ? { json, binary: { [PROPERTY]: await fileOf(context, done) } } : { json }];
}

function fileOf(context: NodeContext, { parts, file }: Distributed): Promise<BinaryReference> {
  const about = { mimeType: 'application/x-ndjson', fileName: `${context.node.name}.ndjson`, fileExtension: 'ndjson' };
  return parts === 0 ? context.binaries.put(new Uint8Array(), about) : file(about);
}

/** Where items are not collected, only an error output tells of the parts that failed. */
function failedItems({ node }: NodeContext, failures: readonly PositionedResult[]): Item[] {
  if (node.onError !== OnError.ErrorOutput) return [];
  return failures.flatMap(({ position, result }) => ('error' in result ? [failedPart(position, result.error)] : []));
}
