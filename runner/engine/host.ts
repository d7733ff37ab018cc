import type { ContainerBatch, ContainerResult } from './container.ts';
import type { CredentialRequest } from './credential.ts';
import type { Databases } from './database.ts';
import type { BinaryReference, Item, JsonObject } from './item.ts';
import type { Checkpoint, ExecutionMode, ExecutionResult, NodeRun, StaticData, WebhookResponse } from './node-run.ts';
import type { ResultCache } from './node-cache.ts';
import type { PartitionHost } from './partitions.ts';
import type { EngineTrace } from './trace.ts';
import type { CircuitBreaker, RetryBudget, WorkflowDefinition } from './workflow.ts';
import type { PdfContent, PdfOptions } from '../pdf/pdf-content.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

export interface BinaryStore {
  put(bytes: Uint8Array, about: { mimeType: string; fileName?: string; fileExtension?: string; directory?: string }): Promise<BinaryReference>;
  get(reference: BinaryReference): Promise<Uint8Array>;
  /** So many bytes from an offset on; fewer at the end of the file. */
  read(reference: Pick<BinaryReference, 'id'>, offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Everything the engine takes from outside, so that it runs the same on a laptop, in an executor process and in a test.
 * The engine never touches `Date.now`, `Math.random`, `process.env` or the global `fetch` itself.
 */
export interface EngineHost {
  /** Milliseconds since the epoch. */
  now(): number;
  /** 0 ≤ x < 1. */
  random(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** With `breaker`, rejects with code CircuitOpen while the host's circuit is open. A host may do without circuits. */
  fetch(url: string, init: RequestInit, breaker?: CircuitBreaker): Promise<Response>;
  /** Takes one try out of a workflow's budget; false: there is none left. Absent: all may try again. */
  mayRetry?(workflow: string, budget: RetryBudget): Promise<boolean>;
  /** Absent: every node executes. */
  cache?: ResultCache;
  sandbox: Sandbox;
  binaries: BinaryStore;
  /** Reads a PDF apart from the engine, within limits. Rejects with InvalidFile or PdfLimitExceeded. */
  readPdf(file: BinaryReference, options: PdfOptions): Promise<PdfContent>;
  /** The fields of a credential. Rejects with code CredentialNotFound, CredentialNotAllowed, CredentialNotGranted or CredentialUnavailable. */
  credential(request: CredentialRequest): Promise<JsonObject>;
  /** An OAuth 2 access token for a credential without one. `refused`: a token that a service did not take. Rejects like `credential`, and with InvalidCredential. */
  accessToken(request: CredentialRequest, refused?: string): Promise<string>;
  databases: Databases;
  /**
   * A workflow that a sub-workflow or error-workflow node names, or undefined; with `revision` in the revision that an earlier
   * life of the execution got.
   */
  loadWorkflow(id: string, revision?: string): Promise<CallableWorkflow | undefined>;
  /** `$vars`. */
  variables: Readonly<Record<string, string>>;
  staticData: StaticData;
  /** The base URL people reach this installation at, without a slash at the end: webhook and resume URLs start with it. */
  baseUrl: string;
  /** Resolves once the checkpoint is durable; rejects (code LeaseLost) when somebody else owns the execution by now. */
  commit(checkpoint: Checkpoint): Promise<void>;
  /** Sends the webhook's answer early (respondToWebhook). Called after the checkpoint before it is durable; at most once. */
  respond(response: WebhookResponse): Promise<void>;
  /** Told after every node run; for live views. Must not throw. */
  onNodeRun?(run: NodeRun): void;
  /** Told what runs, for traces. */
  trace?: EngineTrace;
  /** Told what a Code node printed. */
  onConsole?(line: { node: string; level: 'log' | 'info' | 'warn' | 'error'; text: string }): void;
  /** Told when a child execution (sub-workflow or error workflow) ends. A replay tells again, with the same `executionId`. */
  onChild?(child: { workflow: string; executionId: string; result: ExecutionResult }): void;
  /**
   * Starts an execution of its own that nobody waits for: a sub-workflow called without waiting, or an error workflow. Absent: the
   * engine runs it inside the caller's execution. Rejects with the code of what refuses it.
   */
  startWorkflow?(request: StartRequest): Promise<void>;
  /** Absent: the engine runs parts in turn. */
  partitions?: PartitionHost;
  /** Has pods run, each once whatever number of lives asks for it; undefined while they are not all over. Absent: there is no cluster. */
  runContainers?(batch: ContainerBatch): Promise<readonly ContainerResult[] | undefined>;
}

/** A workflow that another one may call, as the host found it. */
export interface CallableWorkflow {
  definition: WorkflowDefinition;
  /** Names the definition for later lives; absent where definitions do not change. */
  revision?: string;
  /** What the workflow's earlier executions kept. */
  staticData?: StaticData;
}

export interface StartRequest {
  /** Stable over replays: starting the same one twice is one start. */
  key: string;
  /** Id of the workflow. */
  workflow: string;
  revision?: string;
  mode: ExecutionMode;
  start: { node: string; items: readonly Item[] };
  /** The new execution descends from an error workflow, and starts none itself. */
  underError: boolean;
}
