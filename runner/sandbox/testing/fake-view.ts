import type { ExecutionView } from '../../engine/execution-view.ts';
import type { Item, JsonObject } from '../../engine/item.ts';
import { ExecutionMode, type NodeRun } from '../../engine/node-run.ts';
import type { WorkflowDefinition } from '../../engine/workflow.ts';

export interface FakeExecution {
  items?: readonly Item[];
  definition?: WorkflowDefinition;
  runs?: Readonly<Record<string, readonly NodeRun[]>>;
  executionId?: string;
  variables?: Readonly<Record<string, string>>;
  staticData?: JsonObject;
}

/** A workflow `In` → `Out` in New York. */
export function definitionOf(parameters: JsonObject = {}): WorkflowDefinition {
  return {
    id: 'test/flow', name: 'Flow', active: true, settings: { timezone: 'America/New_York' },
    nodes: [{ name: 'In', type: 'code', parameters: { jsCode: 'return []' } }, { name: 'Out', type: 'set', typeVersion: 3.4, parameters }],
    connections: [{ from: 'In', output: 0, to: 'Out', input: 0, type: 'main' }],
  };
}

/** The execution as its node `Out` sees it, after `In` gave `items`. Its clock stands still. */
export function fakeView(execution: FakeExecution = {}): ExecutionView {
  const { items = [], definition = definitionOf(), executionId = 'e1', variables = {}, staticData = {} } = execution;
  const given: NodeRun = { node: 'In', runIndex: 0, status: 'success', source: [], outputs: [items], startedAt: 0, durationMs: 0 };
  const runs: Readonly<Record<string, readonly NodeRun[]>> = execution.runs ?? { In: [given] };
  const node = definition.nodes.find(({ name }) => name === 'Out') ?? { name: 'Out', type: 'set' };
  const stamped = items.map((item, each) => ({ ...item, pairedItem: { item: each } }));
  return {
    workflow: definition, executionId, mode: ExecutionMode.Manual, node, runIndex: 0, variables, baseUrl: 'https://flows.example.com', resumePath: `${executionId}/token`,
    source: [{ node: 'In', output: 0, run: 0 }],
    input: (index) => (index === 0 ? stamped : []),
    runsOf: (name) => (definition.nodes.some((each) => each.name === name) ? (runs[name] ?? []) : undefined),
    stateOf: () => ({}),
    nodeNamed: (name) => definition.nodes.find((each) => each.name === name),
    now: () => 1_700_000_000_000,
    random: () => 0.5,
    staticData: () => staticData,
  };
}
