import type { ServerResponse } from 'node:http';
import type { WebhookResponse } from '../../runner/engine/node-run.ts';
import type { Store } from '../../store/store.ts';
import { ApiError } from '../problem.ts';

const deadline = Symbol('deadline');
const callerGone = Symbol('callerGone');

/**
 * Waits for the workflow's answer. Undefined when the caller went away; the execution goes on either way. Throws
 * ResponseTimeout after `timeoutMs`, and NoResponse when the execution ended without an answer.
 */
export async function awaitReply(
  replies: Store['replies'],
  { executionId, timeoutMs, response }: { executionId: string; timeoutMs: number; response: ServerResponse },
): Promise<WebhookResponse | undefined> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(deadline), timeoutMs);
  const leave = (): void => controller.abort(callerGone);
  response.once('close', leave);
  if (response.destroyed) leave();
  try {
    const reply = await replies.wait(executionId, { signal: controller.signal });
    if (reply.response) return reply.response;
    throw new ApiError('NoResponse', `The execution ended as ${reply.status} without an answer.`, { details: { executionId, status: reply.status } });
  } catch (error) {
    if (controller.signal.reason === callerGone) return undefined;
    if (controller.signal.reason !== deadline) throw error;
    throw new ApiError('ResponseTimeout', 'The workflow has not answered in time.', { details: { executionId } });
  } finally {
    clearTimeout(timer);
    response.off('close', leave);
  }
}
