import type { ErrorRecord } from './item.ts';

/** One run of one node, wherever it is in the tree of workflows of an execution. */
export interface TracedRun {
  /** Of the workflow it is in; see `Execution.scope`. */
  scope: string;
  node: string;
  runIndex: number;
}

export interface NodeTrace {
  /** For the HTTP requests of the node, so that whoever receives them can go on with the trace. */
  readonly headers: Readonly<Record<string, string>>;
  end(error?: ErrorRecord): void;
}

/**
 * Told what runs and how it ends, never with what data. A host without one pays nothing. What the engine leaves without an end is over when the
 * execution is.
 */
export interface EngineTrace {
  /** A node begins to execute; results that are committed already, and disabled and pinned nodes, are not told. */
  node(run: TracedRun & { type: string }): NodeTrace;
  /** A sub-workflow begins inside the execution. Returns what to call at its end. */
  workflow(about: { scope: string; executionId: string; workflow: string; caller: TracedRun }): (error?: ErrorRecord) => void;
}
