import { type Enqueued, type EnqueueRequest, RejectReason } from '../../store/request.ts';
import { coalesce } from '../../store/coalesce.ts';
import { StoreError } from '../../store/error.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';

type Outcome = { enqueued: Enqueued } | { error: unknown };

/** Accepts one execution durably: resolves after the commit. Throws ApiError. */
export type Accept = (request: EnqueueRequest) => Promise<Extract<Enqueued, { accepted: true }>>;

/**
 * Accepts executions in batches: what arrives while one commit is under way shares the next. If PostgreSQL refuses a batch
 * because of what one request holds, each is tried alone, so that a bad neighbour harms nobody.
 */
export function accepting(queue: Pick<Store['queue'], 'enqueue'>, options: { onBatch(size: number): void }): Accept {
  async function enqueue(batch: readonly EnqueueRequest[]): Promise<Outcome[]> {
    options.onBatch(batch.length);
    try {
      return (await queue.enqueue(batch)).map((enqueued) => ({ enqueued }));
    } catch (error) {
      const shared = batch.length === 1 || !(error instanceof StoreError) || error.transient;
      if (shared) return batch.map(() => ({ error }));
      const alone = [];
      for (const request of batch) alone.push(...(await enqueue([request])));
      return alone;
    }
  }
  const one = coalesce(enqueue, { concurrency: 2, max: 256, everyMs: 5 });

  return async (request) => {
    const outcome = await one(request);
    if ('error' in outcome) throw refused(outcome.error);
    if (outcome.enqueued.accepted) return outcome.enqueued;
    throw rejected(request, outcome.enqueued);
  };
}

/** Until when nobody knows, a caller is asked back after this. */
const RETRY_MS = 1000;

function rejected({ namespace, workflow }: EnqueueRequest, { reason, retryMs = RETRY_MS }: Extract<Enqueued, { accepted: false }>): ApiError {
  if (reason === RejectReason.ConcurrencyLimit || reason === RejectReason.RateLimited || reason === RejectReason.QueueFull) {
    const headers = { 'retry-after': String(Math.max(1, Math.ceil(retryMs / 1000))) };
    return new ApiError(reason, `Workflow ${namespace}/${workflow} was not started.`, { headers });
  }
  return new ApiError('WorkflowNotFound', `Workflow ${namespace}/${workflow} takes no executions.`, { details: { reason } });
}

function refused(error: unknown): ApiError {
  if (error instanceof StoreError && error.code === 'PayloadRefused') return new ApiError('UnacceptablePayload', 'The data cannot be stored.', { cause: error });
  if (error instanceof StoreError && error.transient) {
    return new ApiError('Unavailable', 'The execution could not be stored; it may not have been accepted.', { headers: { 'retry-after': '1' }, cause: error });
  }
  return new ApiError('InternalError', 'The execution could not be stored.', { cause: error });
}
