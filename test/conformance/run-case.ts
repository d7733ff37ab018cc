import { importWorkflow } from '../../importers/n8n/index.ts';
import type { ExecuteRequest } from '../../runner/engine/engine.ts';
import type { NodeTypes } from '../../runner/engine/graph.ts';
import type { EngineHost } from '../../runner/engine/host.ts';
import { ExecutionMode } from '../../runner/engine/node-run.ts';
import type { Checkpoint, ExecutionResult, WebhookResponse } from '../../runner/engine/node-run.ts';
import type { WorkflowDefinition, WorkflowNode } from '../../runner/engine/workflow.ts';
import { createLocalHost, executeLocally } from '../../runner/local-host.ts';
import type { Sandbox } from '../../runner/sandbox/sandbox.ts';
import type { Case, Recording, SingleRecording } from './case.ts';
import { BASE_URL, EXECUTION_ID, recordingOf, WORKFLOW_ID } from './recording.ts';
import { webhookItem } from './webhook-call.ts';

/** What runs a request; the crash test puts one in that dies and comes back. */
export type Run = (request: ExecuteRequest, host: EngineHost, nodeTypes: NodeTypes) => Promise<ExecutionResult>;

export interface CaseDeps {
  nodeTypes: NodeTypes;
  sandbox: Sandbox;
  /** Lets every workflow of the case run branches at the same time. */
  parallelBranches?: number;
  /** Default: to the end in this process. */
  run?: Run;
  commit?: (checkpoint: Checkpoint) => Promise<void>;
  /** Stands between the nodes and the network. */
  fetch?: (original: EngineHost['fetch']) => EngineHost['fetch'];
}

/** A case made ready: its workflows imported, its host told about them, and what the host hears. */
interface Prepared {
  given: Case;
  deps: CaseDeps;
  workflow: WorkflowDefinition;
  host: EngineHost;
  /** Child recordings by workflow and execution; an execution that is replayed tells again. */
  children: Map<string, Map<string, SingleRecording>>;
  /** The answer a node gave before the end. */
  early: WebhookResponse | undefined;
}

/** Executes a case on the engine and records it in the suite's shape. */
export async function runCase(given: Case, deps: CaseDeps): Promise<Recording> {
  const prepared = prepare(given, deps);
  const recorded: Recording = given.mode === 'production' ? await runCalls(prepared) : await runManually(prepared);
  if (prepared.children.size === 0) return recorded;
  return { ...recorded, subExecutions: Object.fromEntries([...prepared.children].map(([id, byExecution]) => [id, [...byExecution.values()]])) };
}

function prepare(given: Case, deps: CaseDeps): Prepared {
  const definitionOf = (from: Case['workflow'], id: string): WorkflowDefinition => {
    const { definition } = importWorkflow(from, { id, nodeTypes: deps.nodeTypes });
    return deps.parallelBranches === undefined ? definition : { ...definition, settings: { ...definition.settings, parallelBranches: deps.parallelBranches } };
  };
  const workflow = definitionOf(given.workflow, WORKFLOW_ID);
  const workflows = new Map((given.subWorkflows ?? []).map((child) => [child.id, { ...definitionOf(child.workflow, child.id), active: child.active }]));
  const children: Prepared['children'] = new Map([...workflows.keys()].map((id) => [id, new Map()]));
  const local = createLocalHost({
    sandbox: deps.sandbox,
    workflows,
    credentials: Object.fromEntries((given.credentials ?? []).map(({ type, name, data }) => [`${type}/${name}`, data])),
    baseUrl: BASE_URL,
    onChild: ({ workflow: id, executionId, result }) => {
      const recordings = children.get(id) ?? new Map<string, SingleRecording>();
      children.set(id, recordings.set(executionId, recordingOf(result, workflows.get(id) ?? workflow)));
    },
    respond: async (response) => {
      prepared.early ??= response;
    },
    ...(deps.commit ? { commit: deps.commit } : {}),
  });
  const host = deps.fetch ? { ...local, fetch: deps.fetch((url, init) => local.fetch(url, init)) } : local;
  const prepared: Prepared = { given, deps, workflow, host, children, early: undefined };
  return prepared;
}

async function runManually({ workflow, host, deps }: Prepared): Promise<SingleRecording> {
  const start = { node: nodeOfType(workflow, 'manualTrigger').name, items: [{ json: {} }] };
  const result = await (deps.run ?? executeLocally)({ executionId: EXECUTION_ID, workflow, mode: ExecutionMode.Manual, start }, host, deps.nodeTypes);
  return recordingOf(result, workflow);
}

async function runCalls(prepared: Prepared): Promise<Recording> {
  const { given, workflow, host, deps } = prepared;
  const hook = nodeOfType(workflow, 'webhook');
  const runs: SingleRecording[] = [];
  const responses: { status: number; body: string }[] = [];
  for (const call of given.calls ?? []) {
    prepared.early = undefined;
    const start = { node: hook.name, items: [await webhookItem(hook, call, BASE_URL)] };
    const result = await (deps.run ?? executeLocally)({ executionId: EXECUTION_ID, workflow, mode: ExecutionMode.Webhook, start }, host, deps.nodeTypes);
    Object.assign(host.staticData.global, result.staticData?.global);
    Object.assign(host.staticData.nodes, result.staticData?.nodes);
    runs.push(recordingOf(result, workflow));
    const { status, body } = prepared.early ?? result.response ?? { status: 0, body: '' };
    responses.push({ status, body });
  }
  return { runs, responses };
}

function nodeOfType(workflow: WorkflowDefinition, type: string): WorkflowNode {
  const node = workflow.nodes.find((each) => each.type === type);
  if (!node) throw new Error(`the case's workflow has no ${type} node`);
  return node;
}
