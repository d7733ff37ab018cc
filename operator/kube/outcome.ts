import { KubeError, LeadershipLostError, StalledError, TerminalError, WaitingError, isConflict } from './errors.ts';
import type { Outcome } from './summarize.ts';

/**
 * What the status says about a failure. Only errors with a code bring their own message, because only they promise that no secret is in
 * it; others are in the log. Undefined when the failure is none of the object's: then its status stays.
 */
export function outcomeOf(err: unknown): Outcome | undefined {
  if (err instanceof WaitingError) return { type: 'waiting', reason: err.reason, message: err.message };
  if (err instanceof StalledError || err instanceof TerminalError) return { type: 'stalled', reason: err.reason, message: err.message };
  if (isConflict(err) || err instanceof LeadershipLostError) return undefined;
  if (err instanceof KubeError) return { type: 'failed', reason: err.reason, message: err.message };
  if (err instanceof DOMException && err.name === 'TimeoutError') return { type: 'failed', reason: 'DeadlineExceeded', message: `${err.message}; trying again` };
  return { type: 'failed', reason: 'ReconcileFailed', message: 'an unexpected error, see the log of the operator; trying again' };
}
