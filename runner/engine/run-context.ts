import { createHash } from 'node:crypto';
import type { ContainerRequest, ContainerResult } from './container.ts';
import type { CredentialRequest } from './credential.ts';
import type { DatabaseConnection } from './database.ts';
import { WorkflowError } from './error.ts';
import type { Distributed } from './distribute.ts';
import type { ChildRequest, Distribution, Execution } from './execution.ts';
import { connectedInputs } from './graph.ts';
import type { GraphNode } from './graph.ts';
import type { BinaryStore } from './host.ts';
import type { BinaryReference, Item, JsonObject } from './item.ts';
import type { ExecutionMode, ExecutionResult, Source, WebhookResponse } from './node-run.ts';
import type { NodeContext } from './node-type.ts';
import type { DistributePolicy } from './partitions.ts';
import { defaultOf, locateError, rawParameter, readerOf } from './parameter-reader.ts';
import { Redaction } from './redaction.ts';
import type { RunView } from './run-view.ts';
import { TRANSACTION_CREDENTIAL } from './transaction-rules.ts';
import type { Compat, WorkflowDefinition, WorkflowNode } from './workflow.ts';
import type { PdfContent, PdfOptions } from '../pdf/pdf-content.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

/** What one run of one node may know and do. */
export class RunContext implements NodeContext {
  readonly node: WorkflowNode;
  readonly typeVersion: number;
  readonly workflow: WorkflowDefinition;
  readonly compat: Compat;
  readonly executionId: string;
  readonly mode: ExecutionMode;
  readonly runIndex: number;
  readonly source: readonly (Source | null)[];
  readonly signal: AbortSignal;
  readonly binaries: BinaryStore;
  readonly baseUrl: string;
  readonly #execution: Execution;
  readonly #graphNode: GraphNode;
  readonly #view: RunView;
  readonly #sandbox: Sandbox;
  readonly #traceHeaders: Readonly<Record<string, string>> | undefined;
  #children = 0;
  /** Whether this run answered the webhook. */
  responded = false;
  /** Knows the secrets that this run was given; undefined when it was given none. */
  redaction: Redaction | undefined;
  /** Whether a sub-workflow that it called waits: then it runs again once that is over. */
  suspended = false;

  constructor(execution: Execution, graphNode: GraphNode, view: RunView, traceHeaders?: Readonly<Record<string, string>>) {
    const { tree } = execution;
    this.node = graphNode.node;
    this.typeVersion = graphNode.node.typeVersion ?? graphNode.type?.versions.at(-1) ?? 1;
    this.workflow = execution.workflow;
    this.compat = execution.graph.compat;
    this.executionId = execution.executionId;
    this.mode = execution.mode;
    this.runIndex = view.runIndex;
    this.source = view.source;
    this.signal = execution.signal;
    this.binaries = tree.host.binaries;
    this.baseUrl = tree.host.baseUrl;
    this.#execution = execution;
    this.#graphNode = graphNode;
    this.#view = view;
    this.#sandbox = tree.host.sandbox;
    this.#traceHeaders = traceHeaders;
  }

  get inputCount(): number {
    return connectedInputs(this.#graphNode).length;
  }

  get state(): JsonObject {
    return this.#view.stateOf(this.node.name);
  }

  input(index = 0): readonly Item[] {
    return this.#view.input(index);
  }

  parameter(path: string, itemIndex: number, fallback?: unknown): unknown {
    const read = readerOf(this.#graphNode, path);
    if (!read) return fallback === undefined ? defaultOf(this.#graphNode, path) : fallback;
    try {
      return read(this.#sandbox, this.#view, itemIndex);
    } catch (error) {
      throw locateError(error, path, itemIndex);
    }
  }

  rawParameter(path: string): unknown {
    return rawParameter(this.#graphNode, path);
  }

  evaluate(template: string, itemIndex: number, roots?: JsonObject): unknown {
    return template.startsWith('=') ? this.#sandbox.evaluate(template.slice(1), this.#view, itemIndex, roots) : template;
  }

  runCode(request: Parameters<NodeContext['runCode']>[0]): Promise<unknown> {
    const { host } = this.#execution.tree;
    return this.#sandbox.runCode(
      {
        ...request,
        itemIndex: request.itemIndex ?? 0,
        binaries: this.binaries,
        signal: this.signal,
        onConsole: (level, text) => host.onConsole?.({ node: this.node.name, level, text }),
      },
      this.#view,
    );
  }

  staticData(scope: 'global' | 'node'): JsonObject {
    return this.#view.staticData(scope);
  }

  now(): number {
    return this.#view.now();
  }

  random(): number {
    return this.#view.random();
  }

  sleep(ms: number): Promise<void> {
    return this.#execution.tree.host.sleep(ms, this.signal);
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    const headers = this.#traceHeaders === undefined ? {} : { headers: withDefaults(init.headers, this.#traceHeaders) };
    return this.#execution.tree.host.fetch(url, { ...init, ...headers, signal: init.signal ?? this.signal }, this.workflow.settings?.circuitBreaker);
  }

  readPdf(file: BinaryReference, options: PdfOptions): Promise<PdfContent> {
    return this.#execution.tree.host.readPdf(file, options);
  }

  async credential(type: string): Promise<JsonObject> {
    const fields = await this.#execution.tree.host.credential(this.#wanted(type));
    (this.redaction ??= new Redaction()).add(fields);
    return fields;
  }

  async accessToken(type: string, refused?: string): Promise<string> {
    const token = await this.#execution.tree.host.accessToken(this.#wanted(type), refused);
    (this.redaction ??= new Redaction()).add({ token });
    return token;
  }

  #wanted(type: string): CredentialRequest {
    const name = this.node.credentials?.[type]?.name;
    if (name !== undefined) return { type, name, node: this.node.name, workflow: this.workflow };
    throw new WorkflowError('CredentialNotFound', `The node names no credential of type '${type}'. Choose one in the node's settings.`, { nonRetryable: true });
  }

  async database(type: string): Promise<DatabaseConnection> {
    const { owner, executionId, tree: { host, transaction, journal } } = this.#execution;
    const fields = await this.credential(type);
    const [namespace = ''] = owner.split('/');
    const connect = (): Promise<DatabaseConnection> => host.databases.connect({ namespace, fields, signal: this.signal });
    if (type !== TRANSACTION_CREDENTIAL || !transaction?.joins(this.#execution, this.node)) return connect();
    return transaction.enter(connect, { journal, executionId });
  }

  idempotencyKey(itemIndex: number): string {
    const identity = JSON.stringify([this.executionId, this.node.name, this.runIndex, itemIndex]);
    return createHash('sha256').update(identity).digest('hex').slice(0, 32);
  }

  async respond(response: WebhookResponse): Promise<void> {
    const { tree } = this.#execution;
    if (tree.responded) return;
    tree.responded = true;
    this.responded = true;
    await tree.journal.beforeEffect();
    await tree.host.respond(response);
  }

  async runContainers(requests: readonly ContainerRequest[]): Promise<readonly ContainerResult[] | undefined> {
    const { host } = this.#execution.tree;
    if (host.runContainers) return host.runContainers({ node: this.node.name, requests });
    throw new WorkflowError('ContainersUnavailable', 'Containers run in a cluster only: apply the workflow, or pin data on this node.', { nonRetryable: true });
  }

  get distribute(): DistributePolicy | undefined {
    return this.node.distribute;
  }

  async runPartitions(request: Distribution): Promise<Distributed | undefined> {
    const { tree } = this.#execution;
    return this.#calling(() => tree.runPartitions(this.#execution, { ...request, ...this.#caller(), idOf: (position) => this.idempotencyKey(position) }));
  }

  async runWorkflow(request: { workflow: string | WorkflowDefinition; items: readonly Item[]; wait: boolean }): Promise<ExecutionResult | undefined> {
    const { tree } = this.#execution;
    return this.#calling(() => tree.runChild(this.#execution, { ...request, ...this.#caller(), number: this.#children++ }));
  }

  #caller(): Pick<ChildRequest, 'node' | 'runIndex' | 'record' | 'onStaticData'> {
    return { node: this.node.name, runIndex: this.runIndex, record: (live) => this.#view.record(live), onStaticData: (data) => this.#view.useStaticData(data) };
  }

  async #calling<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof WorkflowError && error.code === 'ExecutionSuspended') this.suspended = true;
      throw error;
    }
  }
}

/** What the node sends itself counts. */
function withDefaults(init: RequestInit['headers'], defaults: Readonly<Record<string, string>>): [string, string][] {
  const headers = new Headers(init);
  for (const [name, value] of Object.entries(defaults)) if (!headers.has(name)) headers.set(name, value);
  return [...headers];
}
