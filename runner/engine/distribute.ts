import type { ChildRequest, DistributeRequest, Execution } from './execution.ts';
import { partitionResultOf, SKIPPED } from './partitions.ts';
import type { PartitionResult } from './partitions.ts';
import { callable, runChild } from './sub-workflow.ts';

/**
 * Has a workflow run once for each part of a node's items, in executions of their own where the host has a queue, else one after the
 * other inside this one. Resolves to the results in the order of the parts, to undefined while they are not all over. Rejects like a call of
 * the workflow, and when a part waits inside this execution.
 */
export async function runPartitions(parent: Execution, request: DistributeRequest): Promise<readonly PartitionResult[] | undefined> {
  const { tree, underError } = parent;
  if (!tree.host.runPartitions) return inTurn(parent, request);
  const { workflow, maxParallel, maxFailures, node, parts } = request;
  const { called, trigger } = await callable(parent, { ...request, items: [], wait: true, number: 0 });
  return tree.host.runPartitions({
    workflow, node, maxParallel, maxFailures, underError, start: trigger.name, parts: parts.map((items, position) => ({ id: request.idOf(position), items })),
    ...(called.revision === undefined ? {} : { revision: called.revision }),
  });
}

async function inTurn(parent: Execution, { parts, maxFailures, workflow, ...rest }: DistributeRequest): Promise<readonly PartitionResult[]> {
  const results: PartitionResult[] = [];
  let failures = 0;
  for (const [number, items] of parts.entries()) {
    const call: ChildRequest = { ...rest, workflow, items, wait: true, number };
    const result = failures > maxFailures ? undefined : await runChild(parent, call);
    const ended = result ? partitionResultOf(result) : SKIPPED;
    if ('error' in ended) failures += 1;
    results.push(ended);
  }
  return results;
}

