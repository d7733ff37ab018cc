import { execute } from '../engine.ts';
import type { ExecuteRequest } from '../engine.ts';
import type { NodeTypes } from '../graph.ts';
import { ExecutionMode } from '../node-run.ts';
import type { ExecutionResult } from '../node-run.ts';
import type { WorkflowDefinition } from '../workflow.ts';
import { testHost } from './test-host.ts';
import type { TestHost } from './test-host.ts';
import { testNodes } from './test-nodes.ts';

/** Runs a workflow from its node `Start` with one empty item. */
export function executeTest(
  workflow: WorkflowDefinition, more: Partial<ExecuteRequest> = {}, host: TestHost = testHost(), nodeTypes: NodeTypes = testNodes(),
): Promise<ExecutionResult> {
  return execute({ executionId: 'e1', workflow, mode: ExecutionMode.Manual, start: { node: 'Start', items: [{ json: {} }] }, ...more }, host, nodeTypes);
}

/** `A#0 B#0 …`, the order in which nodes ran. */
export function orderOf(result: ExecutionResult): string {
  return result.runs.map(({ node, runIndex }) => `${node}#${runIndex}`).join(' ');
}

/** The JSON of the items at an output of a node's last run. */
export function jsonOf(result: ExecutionResult, node: string, output = 0): unknown[] {
  return (result.runs.findLast((run) => run.node === node)?.outputs[output] ?? []).map(({ json }) => json);
}
