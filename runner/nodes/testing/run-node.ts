import { createLocalHost, executeLocally } from '../../local-host.ts';
import type { EngineHost } from '../../engine/host.ts';
import type { ErrorRecord, Item, JsonObject } from '../../engine/item.ts';
import type { ExecutionMode, ExecutionResult, NodeRun } from '../../engine/node-run.ts';
import { plainSandbox } from '../../engine/testing/plain-sandbox.ts';
import type { Compat, Connection, OnError, WorkflowDefinition, WorkflowNode, WorkflowSettings } from '../../engine/workflow.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { nodeTypes } from '../registry.ts';

export interface NodeTest {
  type: string;
  version?: number;
  parameters?: JsonObject;
  /** JSON of the items at input 0. */
  items?: readonly JsonObject[];
  /** Items per input, when there are several inputs or files. */
  inputs?: readonly (readonly Item[])[];
  onError?: OnError;
  compat?: Compat;
  settings?: WorkflowSettings;
  credentials?: WorkflowNode['credentials'];
  mode?: ExecutionMode;
  host?: Partial<EngineHost>;
  runCode?: Sandbox['runCode'];
}

export interface NodeTestResult {
  /** JSON per output. */
  json: JsonObject[][];
  outputs: readonly (readonly Item[] | null)[];
  error: ErrorRecord | undefined;
  run: NodeRun | undefined;
  result: ExecutionResult;
  host: EngineHost;
}

/** Runs one node in the real engine. Expressions are those of the plain sandbox: one `{{ $json.path }}`. */
export async function runNode(test: NodeTest): Promise<NodeTestResult> {
  const inputs = test.inputs ?? [(test.items ?? [{}]).map((json) => ({ json }))];
  const { workflow, start } = workflowFor(test, inputs);
  const sandbox: Sandbox = test.runCode ? { ...plainSandbox, runCode: test.runCode } : plainSandbox;
  const host: EngineHost = { ...createLocalHost({ sandbox }), ...test.host };
  const result = await executeLocally({ executionId: 'test', workflow, mode: test.mode ?? 'Manual', start }, host, nodeTypes);
  const run = result.runs.findLast(({ node }) => node === 'Node');
  const outputs = run?.outputs ?? [];
  return { json: outputs.map((items) => (items ?? []).map(({ json }) => json)), outputs, error: result.error, run, result, host };
}

/** One input comes from the trigger; several come from pinned nodes. */
function workflowFor(test: NodeTest, inputs: readonly (readonly Item[])[]): { workflow: WorkflowDefinition; start: { node: string; items: readonly Item[] } } {
  const { type, version, parameters, onError, credentials } = test;
  const node: WorkflowNode = {
    name: 'Node', type, position: [400, 0], parameters: parameters ?? {}, ...(version !== undefined && { typeVersion: version }), ...(onError && { onError }), ...(credentials && { credentials }),
  };
  const several = inputs.length > 1;
  const sources = several ? inputs.map((_, index): WorkflowNode => ({ name: `In${index}`, type: 'noOp', position: [200, index * 100] })) : [];
  const wires = several
    ? sources.flatMap(({ name }, input): Connection[] => [{ from: 'Start', output: 0, to: name, input: 0, type: 'main' }, { from: name, output: 0, to: 'Node', input, type: 'main' }])
    : [{ from: 'Start', output: 0, to: 'Node', input: 0, type: 'main' }];
  return {
    workflow: {
      id: 'test/test', name: 'test', nodes: [{ name: 'Start', type: 'manualTrigger', position: [0, 0] }, ...sources, node], connections: wires,
      ...(test.compat && { compat: test.compat }), ...(test.settings && { settings: test.settings }),
      ...(several && { pinData: Object.fromEntries(inputs.map((items, index) => [`In${index}`, items])) }),
    },
    start: { node: 'Start', items: several ? [{ json: {} }] : inputs[0] ?? [] },
  };
}
