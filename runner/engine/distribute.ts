import { createHash } from 'node:crypto';
import { WorkflowError } from './error.ts';
import type { DistributeRequest, Execution } from './execution.ts';
import { runInside } from './inner-execution.ts';
import type { BinaryReference, Item } from './item.ts';
import { ExecutionMode, ExecutionStatus } from './node-run.ts';
import type { ExecutionResult } from './node-run.ts';
import { itemsIn, partitionResultOf, SKIPPED } from './partitions.ts';
import type { BatchState, PartContent, PartitionBatch, PartitionHost, PositionedResult } from './partitions.ts';
import { sliceItems } from './slice-items.ts';
import { callable, runChild } from './sub-workflow.ts';

/** Parts that are recorded together. */
const GROUP = 500;

/** Parts that are all over, and where their results are. */
export interface Distributed extends Omit<BatchState, 'isOver'> {
  results(which: 'all' | 'failed'): Promise<readonly PositionedResult[]>;
  file(about: Pick<BinaryReference, 'mimeType' | 'fileName'>): Promise<BinaryReference>;
}

/**
 * Has a workflow, or the node itself, run once for each part of a node's work, in executions of their own where the host has a queue, else one
 * after the other inside this one. Resolves to undefined while the parts are not all over. Rejects like a call of the workflow, and when a part
 * waits inside this execution.
 */
export async function runPartitions(parent: Execution, request: DistributeRequest): Promise<Distributed | undefined> {
  const { partitions } = parent.tree.host;
  if (!partitions) return inTurn(parent, request);
  const id = request.idOf(0);
  const state = await partitions.look(id) ?? await record(parent, request, partitions);
  if (!state.isOver) return undefined;
  return { ...state, results: (which) => partitions.results(id, which), file: (about) => partitions.join(id, about) };
}

/** What an earlier life recorded without coming to the end is recorded once more: nothing of it has started. */
async function record(parent: Execution, request: DistributeRequest, host: PartitionHost): Promise<BatchState> {
  let batch: PartitionBatch | undefined;
  let count = 0;
  for await (const contents of groups(request.parts())) {
    batch ??= await batchOf(parent, request);
    const first = count;
    await host.add(batch, contents.map((content, index) => ({ id: request.idOf(first + index), position: first + index, ...content })));
    count += contents.length;
    parent.signal.throwIfAborted();
  }
  return batch ? host.seal(batch.id, { parts: count, maxFailures: request.maxFailures(count) }) : { parts: 0, items: 0, failed: 0, isOver: true };
}

async function batchOf(parent: Execution, request: DistributeRequest): Promise<PartitionBatch> {
  const { node, maxParallel, collect, workflow } = request;
  const batch = { id: request.idOf(0), node, maxParallel, collect };
  // Of a node alone, the execution that distributes handles failures.
  if (workflow === undefined) return { ...batch, workflow: parent.workflow.id, definition: parent.workflow, start: node, only: true, underError: true };
  const { called: { revision }, trigger } = await callable(parent, { ...request, workflow, items: [], wait: true, number: 0 });
  return { ...batch, workflow, start: trigger.name, underError: parent.underError, ...(revision !== undefined && { revision }) };
}

async function* groups(parts: Iterable<PartContent> | AsyncIterable<PartContent>): AsyncGenerator<PartContent[]> {
  let group: PartContent[] = [];
  for await (const part of parts) {
    group.push(part);
    if (group.length < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** How many failures are allowed may depend on the number of parts, so all are known before the first one runs. */
async function inTurn(parent: Execution, request: DistributeRequest): Promise<Distributed> {
  const contents: PartContent[] = [];
  for await (const part of request.parts()) contents.push(part);
  const maxFailures = request.maxFailures(contents.length);
  const results: PositionedResult[] = [];
  const lines: Buffer[] = [];
  let [items, failed] = [0, 0];
  for (const [position, content] of contents.entries()) {
    const result = failed > maxFailures ? SKIPPED : partitionResultOf(await runPart(parent, request, content, position), request.collect);
    items += itemsIn(result);
    if ('error' in result) failed += 1;
    if ('lines' in result) lines.push(Buffer.from(result.lines ?? ''));
    if (!('items' in result)) results.push({ position, result });
  }
  return {
    parts: contents.length, items, failed,
    results: async (which) => (which === 'all' ? results : results.filter(({ result }) => 'error' in result)),
    file: (about) => parent.tree.host.binaries.put(Buffer.concat(lines), about),
  };
}

async function runPart(parent: Execution, request: DistributeRequest, content: PartContent, number: number): Promise<ExecutionResult> {
  const { workflow, ...rest } = request;
  const { binaries } = parent.tree.host;
  const items = 'items' in content ? content.items : await sliceItems(content.slice, (file, offset, length) => binaries.read(file, offset, length));
  if (workflow === undefined) return runNodeAlone(parent, request, { node: request.node, items, number });
  const result = await runChild(parent, { ...rest, workflow, items, wait: true, number });
  return result ?? { status: ExecutionStatus.Canceled, runs: [] };
}

async function runNodeAlone(parent: Execution, { runIndex, record: recorded, onStaticData }: DistributeRequest, { node, items, number }: { node: string; items: readonly Item[]; number: number }): Promise<ExecutionResult> {
  const call = JSON.stringify([node, runIndex, number]);
  const { workflow, owner, executionId } = parent;
  const { result } = await runInside(parent, {
    identity: {
      workflow, owner, scope: `${parent.scope}/${call}`, mode: ExecutionMode.SubWorkflow, underError: true, only: node, onStaticData,
      executionId: `${executionId}-${createHash('sha256').update(call).digest('hex').slice(0, 12)}`,
    },
    start: { node, items },
    startedAt: () => recorded(() => parent.tree.host.now()),
  });
  if (result.status !== ExecutionStatus.Waiting) return result;
  throw new WorkflowError('DistributeNotPossible', `A part of '${node}' waits, which parts can do in a cluster only: apply the workflow, or remove \`distribute\`.`, { nonRetryable: true });
}
