import { WorkflowError } from '../engine/error.ts';
import type { EngineHost } from '../engine/host.ts';
import type { SupervisorMethods } from './protocol.ts';

/** The calls to the supervisor that circuits need. */
export interface CircuitCalls {
  enter(request: SupervisorMethods['enterCircuit'][0]): Promise<SupervisorMethods['enterCircuit'][1]>;
  /** Not waited for. */
  leave(request: SupervisorMethods['leaveCircuit'][0]): void;
}

/** A fetch that sends nothing to hosts whose circuit is open, and tells how each request went. Without a breaker it costs nothing. */
export function guardedFetch(fetch: typeof globalThis.fetch, { enter, leave }: CircuitCalls): EngineHost['fetch'] {
  return async (url, init, breaker) => {
    const host = breaker && URL.parse(url)?.host;
    if (!breaker || !host) return fetch(url, init);
    const { probe } = await enter({ host, breaker });
    try {
      const response = await fetch(url, init);
      leave({ host, breaker, probe, failed: response.status >= 500 });
      return response;
    } catch (error) {
      if (isOfHost(error, init.signal ?? undefined)) leave({ host, breaker, probe, failed: true });
      throw error;
    }
  };
}

/** Whether the host is to blame: not for a canceled execution, a refused address or a request that could not be written. */
function isOfHost(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return (signal.reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
  const causes = causesOf(error);
  return causes.length > 0 && !causes.some((cause) => cause instanceof WorkflowError);
}

/** What fetch met with on the network, which it wraps; the outermost first. */
function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause)) causes.push(cause);
  return causes;
}

function causeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
}
