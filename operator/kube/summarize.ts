import { condition } from './conditions.ts';
import type { Mark } from './conditions.ts';
import type { Condition } from './object.ts';

/** How a pass over an object ended. */
export type Outcome =
  | { type: 'done' }
  | { type: 'suspended' }
  | { type: 'waiting' | 'failed' | 'stalled'; reason: string; message: string };

/** Types that `summarize` writes itself. */
export const SummaryType = { Ready: 'Ready', Reconciling: 'Reconciling', Stalled: 'Stalled', Suspended: 'Suspended' } as const;
export type SummaryType = (typeof SummaryType)[keyof typeof SummaryType];

export interface Observed {
  /** Conditions before the pass. */
  before: readonly Condition[];
  /** What the pass marked. */
  marks: ReadonlyMap<string, Mark>;
  /** Condition types that together make Ready, in the order in which they explain why not. */
  ready: readonly string[];
  outcome: Outcome;
  generation: number | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

/**
 * The conditions of an object after a pass, as kstatus reads them. Always exactly one of: Ready is True; Reconciling is True; Stalled
 * is True (or the object is suspended). Reconciling, Stalled and Suspended are only there while True. A condition that a complete pass
 * did not mark goes; a pass that broke off leaves those it did not reach as they were, with the generation they were computed from.
 */
export function summarize(observed: Observed): Condition[] {
  const { before, marks, outcome, generation, now } = observed;
  const known = new Map(before.map((entry) => [entry.type, entry]));
  const make = (type: string, mark: Mark): Condition => condition(type, mark, { before: known.get(type), generation, now });
  const own = new Set<string>(Object.values(SummaryType));
  const kept = outcome.type === 'done' ? [] : before.filter(({ type }) => !own.has(type) && !marks.has(type));
  return [
    ...[...summary(observed, known.get(SummaryType.Ready))].map(([type, mark]) => make(type, mark)),
    ...[...marks].filter(([type]) => !own.has(type)).map(([type, mark]) => make(type, mark)),
    ...kept,
  ];
}

/** Whether the pass dealt with the generation it saw, so that observedGeneration may advance. */
export function handled(outcome: Outcome): boolean {
  return outcome.type === 'done' || outcome.type === 'stalled' || outcome.type === 'suspended';
}

function summary({ outcome, marks, ready }: Observed, wasReady: Condition | undefined): Map<SummaryType, Mark> {
  switch (outcome.type) {
    case 'stalled':
      return new Map([
        [SummaryType.Ready, { status: 'False', reason: outcome.reason, message: outcome.message }],
        [SummaryType.Stalled, { status: 'True', reason: outcome.reason, message: outcome.message }],
      ]);
    case 'failed':
      return progressing({ status: 'False', reason: outcome.reason, message: outcome.message }, 'ProgressingWithRetry');
    case 'waiting':
      return progressing({ status: 'Unknown', reason: outcome.reason, message: outcome.message }, 'Progressing');
    case 'suspended':
      return new Map<SummaryType, Mark>([
        [SummaryType.Ready, wasReady ?? { status: 'Unknown', reason: 'Suspended', message: 'suspended before it was ever ready' }],
        [SummaryType.Suspended, { status: 'True', reason: 'Suspended', message: 'nothing is done until it is resumed' }],
      ]);
    default: {
      const mark = readiness(marks, ready);
      return mark.status === 'True' ? new Map([[SummaryType.Ready, mark]]) : progressing(mark, 'Progressing');
    }
  }
}

function progressing(mark: Mark, reason: string): Map<SummaryType, Mark> {
  return new Map<SummaryType, Mark>([
    [SummaryType.Ready, mark],
    [SummaryType.Reconciling, { status: 'True', reason, message: mark.message }],
  ]);
}

/** The first condition that is False, or else Unknown or unmarked, explains why not. */
function readiness(marks: ReadonlyMap<string, Mark>, ready: readonly string[]): Mark {
  const parts = ready.map((type): Mark => marks.get(type) ?? { status: 'Unknown', reason: 'NotEvaluated', message: `${type} has not been evaluated yet` });
  const lacking = parts.find(({ status }) => status === 'False') ?? parts.find(({ status }) => status === 'Unknown');
  return lacking ?? { status: 'True', reason: 'Succeeded', message: parts.at(-1)?.message ?? 'reconciled' };
}
