import type { ContainerSpec } from '../../../runner/nodes/container/container-spec.ts';
import type { PodStep } from '../../../store/pod-steps.ts';
import type { PodOutcome } from './outcome.ts';

/** What follows from how a try went. */
export type NextStep =
  | { do: 'wait'; afterMs?: number }
  | { do: 'succeed' }
  | { do: 'retry'; failed: boolean; afterMs: number }
  | { do: 'fail'; code: string; message: string; exitCode?: number };

/** Registries and Secrets that are made later get this long. */
const STUCK_MS = 300_000;
const DEFAULT_INTERRUPTIONS = 5;
const INTERRUPTED_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 300_000;

type Tries = Pick<PodStep, 'attempt' | 'failures' | 'deadlineMs'>;

export function nextStep(outcome: PodOutcome, tries: Tries, { retries, interruptions = DEFAULT_INTERRUPTIONS }: Pick<ContainerSpec, 'retries' | 'interruptions'>): NextStep {
  if (outcome.kind === 'Running') return { do: 'wait' };
  if (outcome.kind === 'Succeeded') return { do: 'succeed' };
  if (outcome.kind === 'Stuck') {
    const leftMs = STUCK_MS - outcome.sinceMs;
    return outcome.final || leftMs <= 0 ? { do: 'fail', code: outcome.code, message: outcome.message } : { do: 'wait', afterMs: leftMs };
  }
  if (outcome.kind === 'Interrupted' || outcome.kind === 'NotTransferred') return afterInterruption(outcome, tries, interruptions);
  const { kind: _, ...failure } = outcome;
  if (!retries || tries.failures >= retries.max || isLate(tries)) return { do: 'fail', ...failure };
  const pause = retries.exponential ? retries.waitMs * 2 ** tries.failures : retries.waitMs;
  return { do: 'retry', failed: true, afterMs: Math.min(pause, MAX_PAUSE_MS) };
}

function afterInterruption({ kind, reason }: Extract<PodOutcome, { kind: 'Interrupted' | 'NotTransferred' }>, tries: Tries, allowed: number): NextStep {
  const before = tries.attempt - 1 - tries.failures;
  if (before < allowed && !isLate(tries)) return { do: 'retry', failed: false, afterMs: Math.min(INTERRUPTED_PAUSE_MS * 2 ** before, MAX_PAUSE_MS) };
  if (kind === 'NotTransferred') {
    return { do: 'fail', code: 'ArtifactNotTransferred', message: `The files of the pod could not be moved, in ${before + 1} pods: ${reason}. Its namespace has to let pods reach the api of Millrace.` };
  }
  return { do: 'fail', code: 'ContainerInterrupted', message: `The pod was ended by its surroundings (${reason}) ${before + 1} times. Raise interruptions, or run it on nodes that stay.` };
}

/** The execution is over its time: no try would get any. */
function isLate({ deadlineMs }: Tries): boolean {
  return deadlineMs !== undefined && deadlineMs <= 0;
}
