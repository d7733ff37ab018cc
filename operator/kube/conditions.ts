import { timestamp } from './clock.ts';
import type { Condition, ConditionStatus } from './object.ts';

/** What a step says about its part of the object. */
export interface Mark {
  status: ConditionStatus;
  /** CamelCase code; stable and documented. */
  reason: string;
  /** For people: what is so and, unless all is well, what to do about it. */
  message: string;
}

/** Longest message that is kept; the API allows 32 KiB, but statuses are small. */
const MAX_MESSAGE = 1024;

/** A condition for a mark, given what it was before: the time of the transition moves only when the status does. */
export function condition(type: string, mark: Mark, context: { before: Condition | undefined; generation: number | undefined; now: number }): Condition {
  const { before, generation, now } = context;
  return {
    type,
    status: mark.status,
    reason: mark.reason,
    message: mark.message.length > MAX_MESSAGE ? `${mark.message.slice(0, MAX_MESSAGE - 1)}…` : mark.message,
    lastTransitionTime: before?.status === mark.status ? before.lastTransitionTime : timestamp(now),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

export function findCondition(object: { status?: { conditions?: Condition[] } | undefined }, type: string): Condition | undefined {
  return object.status?.conditions?.find((candidate) => candidate.type === type);
}

/** Whether the condition is True for the current generation. */
export function isTrue(object: { metadata: { generation?: number }; status?: { conditions?: Condition[] } | undefined }, type: string): boolean {
  const found = findCondition(object, type);
  if (found?.status !== 'True') return false;
  return found.observedGeneration === undefined || object.metadata.generation === undefined || found.observedGeneration >= object.metadata.generation;
}
