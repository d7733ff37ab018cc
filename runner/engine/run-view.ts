import type { Execution } from './execution.ts';
import { stateOf } from './execution.ts';
import type { ExecutionView } from './execution-view.ts';
import type { GraphNode } from './graph.ts';
import type { Inputs } from './item-linking.ts';
import type { Item, JsonObject } from './item.ts';
import type { Recorder } from './journal.ts';
import type { ExecutionMode, NodeRun, Source } from './node-run.ts';
import type { WorkingStaticData } from './static-data.ts';
import type { WorkflowDefinition, WorkflowNode } from './workflow.ts';

const NO_ITEMS: readonly Item[] = [];

/** One run of one node as its expressions see it. */
export class RunView implements ExecutionView {
  readonly workflow: WorkflowDefinition;
  readonly executionId: string;
  readonly mode: ExecutionMode;
  readonly node: WorkflowNode;
  readonly runIndex: number;
  readonly source: readonly (Source | null)[];
  readonly baseUrl: string;
  readonly resumePath: string;
  readonly #execution: Execution;
  readonly #inputs: Inputs;
  readonly #recorder: Recorder;
  /** What static data the run used, itself or in sub-workflows. */
  readonly usedStaticData = new Set<WorkingStaticData>();

  constructor(execution: Execution, run: { node: GraphNode; runIndex: number; inputs: Inputs; source: readonly (Source | null)[]; recorder: Recorder }) {
    this.workflow = execution.workflow;
    this.executionId = execution.executionId;
    this.mode = execution.mode;
    this.node = run.node.node;
    this.runIndex = run.runIndex;
    this.source = run.source;
    this.baseUrl = execution.tree.host.baseUrl;
    this.resumePath = execution.tree.resumePath;
    this.#execution = execution;
    this.#inputs = run.inputs;
    this.#recorder = run.recorder;
  }

  get variables(): Readonly<Record<string, string>> {
    return this.#execution.tree.journal.variables();
  }

  input(index: number): readonly Item[] {
    return this.#inputs[index] ?? NO_ITEMS;
  }

  runsOf(node: string): readonly NodeRun[] | undefined {
    return this.#execution.graph.nodes.has(node) ? this.#execution.history.of(node) : undefined;
  }

  stateOf(node: string): JsonObject {
    return stateOf(this.#execution, node);
  }

  nodeNamed(name: string): WorkflowNode | undefined {
    return this.#execution.graph.nodes.get(name)?.node;
  }

  now(): number {
    return this.#recorder.read(() => this.#execution.tree.host.now());
  }

  random(): number {
    return this.#recorder.read(() => this.#execution.tree.host.random());
  }

  /** Anything else the run learns from outside: a replay gets what the first life got. */
  record<T>(live: () => T): T {
    return this.#recorder.read(live);
  }

  staticData(scope: 'global' | 'node'): JsonObject {
    this.useStaticData(this.#execution.staticData);
    return this.#execution.staticData.of(scope, this.node.name);
  }

  useStaticData(data: WorkingStaticData): void {
    this.usedStaticData.add(data);
    this.#execution.onStaticData?.(data);
  }
}
