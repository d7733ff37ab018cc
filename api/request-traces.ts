import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestListener } from 'node:http';
import { parseTraceparent, traceparentOf, type TraceContext } from '../service/trace-context.ts';
import type { Tracing } from '../service/tracing.ts';
import { ApiError } from './problem.ts';
import { routeLabel } from './rest/router.ts';
import type { Accept } from './webhook/accept.ts';

/**
 * Spans of requests, as parts of the traces their callers name, and beneath them of the executions they ask for. Neither paths nor queries
 * are told: webhooks may have secrets there.
 */
export class RequestTraces {
  readonly #tracing: Tracing;
  readonly #now: () => number;
  /** The span of the request that is being served. */
  readonly #current = new AsyncLocalStorage<TraceContext>();

  /** @param now Milliseconds since the epoch, by the database's clock. */
  constructor(tracing: Tracing, now: () => number) {
    this.#tracing = tracing;
    this.#now = now;
  }

  listener(serve: RequestListener): RequestListener {
    return (request, response) => {
      const parent = parseTraceparent(request.headers['traceparent']);
      const context = this.#tracing.begin(parent);
      const startMs = this.#now();
      response.once('close', () => {
        const [, first = ''] = /^\/([^/?]*)/.exec(request.url ?? '') ?? [];
        const route = first === 'api' ? routeLabel(response) : `/${first}/…`;
        const status = response.statusCode;
        this.#tracing.record({
          context, ...(parent ? { parentId: parent.spanId } : {}), name: `${request.method} ${route}`, kind: 'server', startMs, endMs: this.#now(),
          attributes: { 'http.request.method': request.method ?? '', 'http.route': route, 'http.response.status_code': status },
          ...(status >= 500 ? { error: String(status) } : {}),
        });
      });
      this.#current.run(context, () => serve(request, response));
    };
  }

  /** The execution carries the span of its acceptance, so that whoever runs it goes on with the trace. */
  accept(accept: Accept): Accept {
    return async (request) => {
      const parent = this.#current.getStore();
      const context = this.#tracing.begin(parent);
      const startMs = this.#now();
      const record = (outcome: { error?: string; attributes?: Record<string, string | boolean> }): void => this.#tracing.record({
        context, ...(parent ? { parentId: parent.spanId } : {}), name: 'enqueue', kind: 'producer', startMs, endMs: this.#now(), ...outcome,
        attributes: { 'millrace.namespace': request.namespace, 'millrace.workflow.name': request.workflow, 'millrace.execution.mode': request.mode, ...outcome.attributes },
      });
      try {
        const accepted = await accept({ ...request, trigger: { ...request.trigger, traceparent: traceparentOf(context) } });
        record({ attributes: { 'millrace.execution.id': accepted.id, 'millrace.execution.duplicate': accepted.duplicate } });
        return accepted;
      } catch (error) {
        record({ error: error instanceof ApiError ? error.code : 'InternalError' });
        throw error;
      }
    };
  }
}
