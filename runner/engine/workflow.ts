import type { Item, JsonObject } from './item.ts';
import type { DistributePolicy } from './partitions.ts';

/** What to do when a node fails after its retries. ErrorOutput adds one more output after the regular ones. */
export const OnError = { Stop: 'Stop', Continue: 'Continue', ErrorOutput: 'ErrorOutput' } as const;
export type OnError = (typeof OnError)[keyof typeof OnError];

/** Which system's rules hold where versions differ. `millrace` does the sane thing. */
export const Compat = { Millrace: 'millrace', N8nV1: 'n8n-v1', N8nV2: 'n8n-v2', N8nV3: 'n8n-v3' } as const;
export type Compat = (typeof Compat)[keyof typeof Compat];

export interface RetryPolicy {
  /** All tries, the first included. */
  maxTries: number;
  /** Go-style duration such as `1s` between tries (the longest first pause when exponential). Default 1s. */
  wait?: string;
  /** Default Fixed. Exponential: a random part (full jitter) of a pause that doubles. */
  backoff?: 'Fixed' | 'Exponential';
}

export interface CachePolicy {
  /** Go-style duration. */
  ttl: string;
  /** Template, evaluated for the first item: runs with the same value have the same result. */
  key?: string;
}

export interface WorkflowNode {
  name: string;
  /** Millrace's short name, such as `set` or `httpRequest`. */
  type: string;
  typeVersion?: number;
  position?: readonly number[];
  parameters?: JsonObject;
  /** Credential type → name of the credential. */
  credentials?: Record<string, { name: string }>;
  disabled?: boolean;
  executeOnce?: boolean;
  alwaysOutputData?: boolean;
  retry?: RetryPolicy;
  /** Use results of earlier runs again, over executions. */
  cache?: CachePolicy;
  /** Divide the items and have executions of their own work on the parts. */
  distribute?: DistributePolicy;
  onError?: OnError;
  webhookId?: string;
  notes?: string;
}

/** The type of the wires that lead to what undoes a node. */
export const COMPENSATION = 'compensation';

/** One wire. Outputs and inputs are counted from 0; `type` is `main`, `compensation` or an AI connection type. */
export interface Connection {
  from: string;
  output: number;
  to: string;
  input: number;
  type: string;
}

/** When to stop calling a host whose requests fail. Durations are Go-style. */
export interface CircuitBreaker {
  /** Share of failed requests that opens the circuit. Default 50. */
  failurePercent?: number;
  /** Fewer requests within the window open nothing. Default 10. */
  minimumRequests?: number;
  /** How far back requests count. Default 30s. */
  window?: string;
  /** How long no request is sent before one is tried. Default 30s. */
  openFor?: string;
}

/** So many tries after the first at once, and as many more, evenly, within every period. */
export interface RetryBudget {
  retries: number;
  /** Go-style duration. */
  per: string;
}

export interface WorkflowSettings {
  /** Depth first by canvas position (`v1`, the default) or n8n's legacy breadth first (`v0`). */
  executionOrder?: 'v0' | 'v1';
  /** Nodes of one execution that may run at the same time, where branches do not depend on one another. Default 1; v0 knows no other. */
  parallelBranches?: number;
  /** IANA name. Default UTC. */
  timezone?: string;
  /** Go-style duration for a whole execution, such as `5m`. */
  timeout?: string;
  /** Go-style duration for all compensations of an execution together. Default 10m. */
  compensationTimeout?: string;
  errorWorkflow?: string;
  callerPolicy?: 'any' | 'none' | 'list' | 'sameOwner';
  callers?: readonly string[];
  circuitBreaker?: CircuitBreaker;
  retryBudget?: RetryBudget;
  /** One database transaction over all nodes that use this credential. */
  transaction?: { credential: string };
}

/** What the engine runs. The Workflow custom resource's spec is assignable to this, plus identity. */
export interface WorkflowDefinition {
  /** Stable identity: the object's `namespace/name` in a cluster, the file's name on a laptop. */
  id: string;
  name: string;
  active?: boolean;
  compat?: Compat;
  nodes: readonly WorkflowNode[];
  connections: readonly Connection[];
  settings?: WorkflowSettings;
  /** Node name → items that stand in for its output in manual runs. */
  pinData?: Record<string, readonly Item[]>;
}

/** A copy of the items pinned to a node: the definition belongs to all executions of the workflow. Node names are people's words: `constructor` is one, and no property of the record's prototype. */
export function pinnedItems({ pinData }: WorkflowDefinition, node: string): readonly Item[] | undefined {
  return pinData && Object.hasOwn(pinData, node) ? structuredClone(pinData[node]) : undefined;
}
