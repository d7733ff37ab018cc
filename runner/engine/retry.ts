import { durationMs } from './duration.ts';
import { WorkflowError } from './error.ts';
import type { RetryPolicy } from './workflow.ts';

/** No pause between tries is longer, however often it doubled. */
const MAX_PAUSE_MS = 300_000;

export interface RetryDeps {
  signal: AbortSignal;
  random(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * Runs `attempt` until it neither throws nor gives a soft failure, or the tries are used up: then the last error is thrown,
 * or the last soft failure returned. Errors marked nonRetryable and an abort end it at once.
 */
export async function withRetry<T>(attempt: () => Promise<T>, isSoftFailure: (result: T) => boolean, policy: RetryPolicy | undefined, deps: RetryDeps): Promise<T> {
  const maxTries = policy?.maxTries ?? 1;
  for (let tried = 1; ; tried += 1) {
    const isLast = tried >= maxTries;
    try {
      const result = await attempt();
      if (isLast || !isSoftFailure(result)) return result;
    } catch (error) {
      if (isLast || deps.signal.aborted || (error instanceof WorkflowError && error.details.nonRetryable)) throw error;
    }
    await deps.sleep(pauseMs(policy, tried, deps), deps.signal);
  }
}

/** Fixed, or doubling with half of it random, so that many executions that failed together do not come back together. */
function pauseMs(policy: RetryPolicy | undefined, tried: number, deps: RetryDeps): number {
  const base = durationMs(policy?.wait ?? '1s');
  if (policy?.backoff !== 'Exponential') return base;
  const doubled = Math.min(base * 2 ** (tried - 1), MAX_PAUSE_MS);
  return doubled / 2 + (doubled / 2) * deps.random();
}
