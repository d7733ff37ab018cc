import type { Clock } from './clock.ts';

export interface Deadline extends Disposable {
  /** Aborts when the time is over or the parent aborts. */
  readonly signal: AbortSignal;
  /** Whether time, not the parent, ended it. */
  readonly expired: boolean;
}

/**
 * A signal bound to a time and to a parent. Unlike AbortSignal.any it leaves nothing behind on a parent that lives as long as the
 * process, provided it is disposed of (`using`).
 */
export function deadline(clock: Clock, ms: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController();
  let expired = false;
  const stop = (): void => controller.abort(parent?.reason);
  const cancel = clock.after(ms, () => {
    expired = true;
    controller.abort(new DOMException(`not done within ${ms} ms`, 'TimeoutError'));
  });
  if (parent?.aborted) stop();
  else parent?.addEventListener('abort', stop);
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    [Symbol.dispose]() {
      cancel();
      parent?.removeEventListener('abort', stop);
    },
  };
}
