import type { ErrorRecord } from '../engine/item.ts';
import type { EngineTrace, NodeTrace, TracedRun } from '../engine/trace.ts';
import { childOf, traceparentOf, type SpanRecord, type TraceContext } from '../../service/trace-context.ts';

export interface SpanRecorderDeps {
  /** Milliseconds since the epoch. */
  now(): number;
  send(spans: readonly SpanRecord[]): void;
}

/** Spans per message. */
const BATCH = 100;
/** Of one life of one execution: a loop over many items would drown everything else. */
const MAX_SPANS = 5000;

/** Makes spans of what the engine tells, and hands them to the supervisor, who alone may send them anywhere. */
export class SpanRecorder implements EngineTrace {
  readonly #deps: SpanRecorderDeps;
  readonly #open = new Map<string, Omit<SpanRecord, 'endMs'>>();
  /** Spans under which nodes of a scope hang. */
  readonly #scopes = new Map<string, TraceContext>();
  #ended: SpanRecord[] = [];
  #count = 0;

  /** @param root The span of the execution, which the supervisor records. */
  constructor(root: TraceContext, deps: SpanRecorderDeps) {
    this.#deps = deps;
    this.#scopes.set('', root);
  }

  node(run: TracedRun & { type: string }): NodeTrace {
    const { scope, node, type, runIndex } = run;
    const context = this.#begin(keyOf(run), this.#scopes.get(scope), {
      name: node, attributes: { 'millrace.node.name': node, 'millrace.node.type': type, 'millrace.node.run_index': runIndex },
    });
    return { headers: context ? { traceparent: traceparentOf(context) } : {}, end: (error) => this.#end(keyOf(run), error) };
  }

  workflow({ scope, executionId, workflow, caller }: Parameters<EngineTrace['workflow']>[0]): (error?: ErrorRecord) => void {
    const parent = this.#open.get(keyOf(caller))?.context ?? this.#scopes.get(caller.scope);
    const context = this.#begin(scope, parent, { name: `workflow ${workflow}`, attributes: { 'millrace.workflow.name': workflow, 'millrace.execution.id': executionId } });
    if (context) this.#scopes.set(scope, context);
    return (error) => this.#end(scope, error);
  }

  /** Ends what the engine left open and sends everything. */
  close(): void {
    for (const key of this.#open.keys()) this.#end(key);
    this.#flush();
  }

  #begin(key: string, parent: TraceContext | undefined, about: Pick<SpanRecord, 'name' | 'attributes'>): TraceContext | undefined {
    if (!parent || this.#count >= MAX_SPANS) return undefined;
    this.#count += 1;
    const context = childOf(parent);
    this.#open.set(key, { ...about, context, parentId: parent.spanId, kind: 'internal', startMs: this.#deps.now() });
    return context;
  }

  #end(key: string, error?: ErrorRecord): void {
    const open = this.#open.get(key);
    if (!open) return;
    this.#open.delete(key);
    this.#ended.push({ ...open, endMs: this.#deps.now(), ...(error ? { error: error.code } : {}) });
    if (this.#ended.length >= BATCH) this.#flush();
  }

  #flush(): void {
    if (this.#ended.length > 0) this.#deps.send(this.#ended);
    this.#ended = [];
  }
}

function keyOf({ scope, node, runIndex }: TracedRun): string {
  return JSON.stringify([scope, node, runIndex]);
}
