import { WorkflowError } from './error.ts';
import type { EngineHost } from './host.ts';

/** Timers hold no more than 2^31 - 1 ms; a later deadline is reached in several steps. */
const MAX_SLEEP_MS = 86_400_000;

/** Aborts `stop` with code ExecutionTimeout at a moment (milliseconds since the epoch), unless `done` is aborted before. Absent: never. */
export function stopAt(deadline: number | undefined, host: EngineHost, stop: AbortController, done: AbortSignal): void {
  if (deadline === undefined) return;
  watch(deadline, host, stop, done).catch((error: unknown) => {
    if (!done.aborted) stop.abort(error);
  });
}

async function watch(deadline: number, host: EngineHost, stop: AbortController, done: AbortSignal): Promise<void> {
  for (let left = deadline - host.now(); left > 0; left = deadline - host.now()) await host.sleep(Math.min(left, MAX_SLEEP_MS), done);
  if (!done.aborted) stop.abort(new WorkflowError('ExecutionTimeout', 'The execution reached its time limit. Raise settings.timeout, or let it do less.'));
}
