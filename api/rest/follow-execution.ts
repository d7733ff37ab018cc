import { setTimeout as pause } from 'node:timers/promises';
import { ExecutionStatus } from '../../runner/engine/node-run.ts';
import type { ExecutionDetail as StoredDetail } from '../../store/executions.ts';
import type { StreamEvent } from './endpoint.ts';
import { showExecution, showRun } from './execution-view.ts';

/** Looks again this often while something happens, and less often the longer nothing does. */
const minPauseMs = 250;
const maxPauseMs = 2000;

const ended: readonly string[] = [ExecutionStatus.Succeeded, ExecutionStatus.Failed, ExecutionStatus.Canceled];

/**
 * `node` events for the node runs so far and every new one, `execution` events at first and whenever its status changes; ends
 * after the execution has. A caller that connects again gets everything from the start.
 */
export async function* followExecution(read: () => Promise<StoredDetail>, signal: AbortSignal): AsyncGenerator<StreamEvent> {
  const shown = new Set<string>();
  let status: string | undefined;
  let waitMs = minPauseMs;
  while (!signal.aborted) {
    const { nodes, hasItems: _, ...execution } = await read();
    waitMs = Math.min(maxPauseMs, waitMs * 1.5);
    for (const run of nodes) {
      const id = `${run.node}#${run.runIndex}`;
      if (shown.has(id)) continue;
      shown.add(id);
      waitMs = minPauseMs;
      yield { event: 'node', data: showRun(run) };
    }
    // After the nodes, so that the end is the last thing said.
    if (execution.status !== status) yield { event: 'execution', data: showExecution(execution) };
    status = execution.status;
    if (ended.includes(status)) return;
    await pause(waitMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}
