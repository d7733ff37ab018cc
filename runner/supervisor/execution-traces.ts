import { childOf, parseTraceparent, type SpanRecord, type TraceContext } from '../../service/trace-context.ts';
import type { Tracing } from '../../service/tracing.ts';
import type { Claim } from '../../store/lease.ts';

interface Life {
  claim: Claim;
  claimSpan: TraceContext;
  context: TraceContext;
  startMs: number;
}

export interface ExecutionTracesOptions {
  pool: string;
  runner: string;
  /** Milliseconds since the epoch, by the database's clock. */
  now(): number;
}

/**
 * The spans of executions that this runner has claimed: one for the wait in the queue and, beneath it, one for each life of the execution, under which
 * its nodes hang. An execution that nobody asked for with a trace begins one.
 */
export class ExecutionTraces {
  readonly #tracing: Tracing;
  readonly #options: ExecutionTracesOptions;
  /** By assignment. */
  readonly #lives = new Map<string, Life>();

  constructor(tracing: Tracing, options: ExecutionTracesOptions) {
    this.#tracing = tracing;
    this.#options = options;
  }

  /** The span of this life; undefined when the trace is not recorded. */
  begin(assignment: string, claim: Claim): TraceContext | undefined {
    const parent = parseTraceparent(claim.trigger.traceparent);
    const claimSpan = this.#tracing.begin(parent);
    if (!claimSpan.sampled) return undefined;
    const startMs = this.#options.now();
    const { pool } = this.#options;
    const { namespace, workflow, executionId, createdAt, fence } = claim;
    this.#tracing.record({
      context: claimSpan, ...(parent ? { parentId: parent.spanId } : {}), name: 'claim', kind: 'consumer', startMs: fence === 1 ? createdAt : startMs, endMs: startMs,
      attributes: { 'millrace.namespace': namespace, 'millrace.workflow.name': workflow, 'millrace.execution.id': executionId, 'millrace.pool': pool },
    });
    const context = childOf(claimSpan);
    this.#lives.set(assignment, { claim, claimSpan, context, startMs });
    return context;
  }

  /** Spans of nodes, from the executor. */
  spans(assignment: string, spans: readonly SpanRecord[]): void {
    if (!this.#lives.has(assignment)) return;
    for (const span of spans) this.#tracing.record(span);
  }

  /** The life is over, once: with the status of the execution, or with what made it end without one. */
  end(assignment: string, outcome: { status: string; error?: string }): void {
    const life = this.#lives.get(assignment);
    if (!life) return;
    this.#lives.delete(assignment);
    const { claim, claimSpan, context, startMs } = life;
    this.#tracing.record({
      context, parentId: claimSpan.spanId, name: `execution ${claim.namespace}/${claim.workflow}`, kind: 'internal', startMs, endMs: this.#options.now(),
      attributes: {
        'millrace.namespace': claim.namespace, 'millrace.workflow.name': claim.workflow, 'millrace.workflow.revision': claim.revision, 'millrace.execution.id': claim.executionId,
        'millrace.execution.mode': claim.mode, 'millrace.execution.status': outcome.status, 'millrace.execution.life': claim.fence, 'millrace.pool': this.#options.pool,
        'millrace.runner': this.#options.runner,
      },
      ...(outcome.error === undefined ? {} : { error: outcome.error }),
    });
  }
}
