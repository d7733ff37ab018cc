import type { EndedExecution, Resume } from '../../store/lease.ts';
import type { SavePolicy } from '../../store/route.ts';
import type { Trigger } from '../../store/request.ts';
import type { BatchState, Part, PartitionBatch, PositionedResult } from '../engine/partitions.ts';
import type { ContainerBatch, ContainerResult } from '../engine/container.ts';
import type { BinaryReference, ErrorRecord, JsonObject } from '../engine/item.ts';
import type { StartRequest } from '../engine/host.ts';
import type { Checkpoint, Ending, ExecutionMode, NodeRun, StaticData, WebhookResponse } from '../engine/node-run.ts';
import type { CircuitBreaker, RetryBudget, WorkflowDefinition } from '../engine/workflow.ts';
import type { SpanRecord, TraceContext } from '../../service/trace-context.ts';
import type { PdfContent, PdfOptions } from '../pdf/pdf-content.ts';

/** What an executor is started with. */
export interface ExecutorLimits {
  /** Networks that workflows may not connect to. */
  deniedCidrs: readonly string[];
  /** Connections to one database with one credential of one namespace. */
  databaseConnections: number;
}

/** One execution handed to an executor. Plain data: it crosses a process boundary. */
export interface Assignment {
  /** Execution and fence: a later claim of the same execution, even by the same runner, is another assignment. */
  id: string;
  executionId: string;
  /** Id of the Workflow, `namespace/name`. */
  workflowId: string;
  /** Content hash of the definition; the executor asks for the definition when it has not cached it. */
  revision: string;
  mode: ExecutionMode;
  /** What is kept of it. */
  save: SavePolicy;
  start: Trigger;
  checkpoints: readonly Checkpoint[];
  /** Present when this execution comes back from a Wait. */
  resume?: Resume;
  /** The span of this life of the execution, when it is recorded. */
  trace?: TraceContext;
  /** Milliseconds that are left of the execution's timeout. */
  timeoutMs?: number;
  staticData: StaticData;
  /** What makes the address that ends a wait of this execution unguessable. */
  resumeToken: string;
  /** Set when it brought its last executor down, was canceled while it waited or is over its time: nothing new of it runs any more, it is only undone and ends. */
  ending?: Ending;
  /** The database's clock minus this machine's, in milliseconds: all runners agree on the time. */
  clockOffsetMs: number;
}

/** A workflow that another one may call. */
export interface FoundWorkflow {
  id: string;
  revision: string;
  active: boolean;
  staticData: StaticData;
}

/** What an executor may ask of its supervisor, which alone holds the database and credentials: method → [arguments, answer]. */
export interface SupervisorMethods {
  commit: [Checkpoint, void];
  respond: [WebhookResponse, void];
  loadRevision: [string, WorkflowDefinition];
  /** A workflow by name, in the revision its route names now or in a given one. */
  findWorkflow: [{ id: string; revision?: string }, FoundWorkflow | undefined];
  /** The fields of the credential of a type that a node names, in a revision that this execution runs. */
  credential: [{ revision: string; node: string; type: string }, JsonObject];
  /** An OAuth 2 access token for that credential. */
  accessToken: [{ revision: string; node: string; type: string; refused?: string }, string];
  startWorkflow: [StartRequest, void];
  /** See `PartitionHost`. */
  lookPartitions: [string, BatchState | undefined];
  addPartitions: [{ batch: Omit<PartitionBatch, 'definition'>; parts: readonly Part[] }, void];
  sealPartitions: [{ batch: string; parts: number; maxFailures: number }, BatchState];
  partitionResults: [{ batch: string; which: 'all' | 'failed' }, readonly PositionedResult[]];
  joinPartitions: [string, Pick<BinaryReference, 'id' | 'size' | 'sha256'>];
  runContainers: [ContainerBatch, readonly ContainerResult[] | undefined];
  /** The node runs of an earlier execution of the same workflow. Rejects with PartialDataMissing. */
  loadRuns: [string, readonly NodeRun[]];
  putBinary: [{ bytes: Uint8Array; reference: BinaryReference }, void];
  getBinary: [string, Uint8Array];
  readBinary: [{ id: string; offset: number; length: number }, Uint8Array];
  readPdf: [{ id: string; options: PdfOptions }, PdfContent];
  /** May a request be sent to this host? Rejects with CircuitOpen. */
  enterCircuit: [{ host: string; breaker: CircuitBreaker }, { probe: boolean }];
  /** How a request went that was let through. */
  leaveCircuit: [{ host: string; breaker: CircuitBreaker; probe: boolean; failed: boolean }, void];
  /** What an earlier run of a node put out, by the key of the run. */
  readResult: [string, string | undefined];
  writeResult: [{ key: string; outputs: string; ttlMs: number }, void];
  /** Takes one try out of the retry budget of a workflow. */
  takeRetry: [{ workflow: string; budget: RetryBudget }, boolean];
}
export type Method = keyof SupervisorMethods;

export type ToExecutor =
  | { kind: 'configure'; variables: Record<string, string>; baseUrl: string }
  | { kind: 'start'; assignment: Assignment }
  | { kind: 'cancel'; assignment: string; reason: CancelReason }
  /** The answer to pythonWanted; without a snapshot there is none. */
  | { kind: 'python'; snapshot?: Uint8Array; error?: ErrorRecord }
  /** Give the execution back at the next node boundary. */
  | { kind: 'handBack'; assignment: string }
  | { kind: 'answer'; call: number; value?: unknown; error?: ErrorRecord };

export type ToSupervisor =
  /** Comes before the end of the assignment. */
  | { kind: 'spans'; assignment: string; spans: readonly SpanRecord[] }
  | { kind: 'ready' }
  /** Sent at a steady beat; its absence means that the event loop is stuck. */
  | { kind: 'beat' }
  | { kind: 'call'; call: number; assignment: string; method: Method; argument: unknown }
  /** Asks for the compressed memory of a Python interpreter that has started. */
  | { kind: 'pythonWanted' }
  | { kind: 'console'; executionId: string; node: string; level: string; text: string }
  | { kind: 'finished'; assignment: string; result: EndedExecution }
  /** This life of the execution must not go on; another one will. `code` says why. */
  | { kind: 'abandoned'; assignment: string; code: string; message: string };

/** Why an execution is stopped from outside: codes of the error the engine is given. Only ExecutionCanceled ends it for good. */
export const CancelReason = { Canceled: 'ExecutionCanceled', LeaseLost: 'LeaseLost', HandBack: 'HandBack' } as const;
export type CancelReason = (typeof CancelReason)[keyof typeof CancelReason];

/** Characters of the longest result that is cached. */
export const MAX_CACHED_LENGTH = 2 ** 20;

/** How often an executor tells that its event loop turns, in milliseconds. */
export const BEAT_MS = 250;
