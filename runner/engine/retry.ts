import { durationMs } from './duration.ts';
import { toErrorRecord, WorkflowError } from './error.ts';
import type { RetryPolicy } from './workflow.ts';

/** No pause between tries is longer, however often it doubled. */
const MAX_PAUSE_MS = 300_000;

export interface RetryDeps {
  signal: AbortSignal;
  random(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Asked before each try after the first. False: the workflow has no more of them. */
  mayRetry(): Promise<boolean>;
}

type Outcome<T> = { result: T } | { error: unknown };

/**
 * Runs `attempt` until it neither throws nor gives a soft failure, or the tries are used up: then the last error is thrown,
 * or the last soft failure returned. Errors marked nonRetryable and an abort end it at once.
 */
export async function withRetry<T>(attempt: () => Promise<T>, isSoftFailure: (result: T) => boolean, policy: RetryPolicy | undefined, deps: RetryDeps): Promise<T> {
  const maxTries = policy?.maxTries ?? 1;
  if (maxTries <= 1) return attempt();
  for (let tried = 1; ; tried += 1) {
    const outcome = await outcomeOf(attempt);
    const isOver = tried >= maxTries || ('result' in outcome ? !isSoftFailure(outcome.result) : isFinal(outcome.error, deps));
    if (isOver) return settle(outcome);
    if (!(await deps.mayRetry())) return settle('result' in outcome ? outcome : { error: withoutRetry(outcome.error) });
    await deps.sleep(pauseMs(policy, tried, deps), deps.signal);
  }
}

async function outcomeOf<T>(attempt: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { result: await attempt() };
  } catch (error) {
    return { error };
  }
}

function settle<T>(outcome: Outcome<T>): T {
  if ('result' in outcome) return outcome.result;
  throw outcome.error;
}

function isFinal(error: unknown, { signal }: RetryDeps): boolean {
  return signal.aborted || (error instanceof WorkflowError && error.details.nonRetryable === true);
}

/** The error as it was, with the reason why it stayed at that. */
function withoutRetry(error: unknown): WorkflowError {
  const { code, message, ...details } = toErrorRecord(error);
  const reason = 'It was not tried again: settings.retryBudget of the workflow is used up.';
  return new WorkflowError(code, message, { ...details, description: details.description === undefined ? reason : `${details.description} ${reason}`, cause: error });
}

/** Fixed, or a random part of a pause that doubles (full jitter), so that many executions that failed together do not come back together. */
function pauseMs(policy: RetryPolicy | undefined, tried: number, deps: RetryDeps): number {
  const base = durationMs(policy?.wait ?? '1s');
  if (policy?.backoff !== 'Exponential') return base;
  return Math.min(base * 2 ** (tried - 1), MAX_PAUSE_MS) * deps.random();
}
