import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { kstatus } from './kstatus.ts';
import { handled, summarize } from './summarize.ts';
import type { Mark } from './conditions.ts';
import type { Condition, ConditionStatus } from './object.ts';
import type { Outcome } from './summarize.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const EARLIER = '2026-01-01T00:00:00Z';

function old(type: string, status: ConditionStatus, generation = 1): Condition {
  return { type, status, reason: 'Before', message: 'before', lastTransitionTime: EARLIER, observedGeneration: generation };
}

const marks = (given: Record<string, Mark>): Map<string, Mark> => new Map(Object.entries(given));
const good: Mark = { status: 'True', reason: 'Fine', message: 'it is fine' };
const bad: Mark = { status: 'False', reason: 'Broken', message: 'it is broken' };

test.each<{ name: string; before?: Condition[]; given: Record<string, Mark>; outcome: Outcome; want: string[] }>([
  { name: 'everything in order', given: { A: good, B: good }, outcome: { type: 'done' }, want: ['Ready=True/Succeeded', 'A=True/Fine', 'B=True/Fine'] },
  {
    name: 'a part is broken',
    given: { A: good, B: bad },
    outcome: { type: 'done' },
    want: ['Ready=False/Broken', 'Reconciling=True/Progressing', 'A=True/Fine', 'B=False/Broken'],
  },
  { name: 'a part was not looked at', given: { A: good }, outcome: { type: 'done' }, want: ['Ready=Unknown/NotEvaluated', 'Reconciling=True/Progressing', 'A=True/Fine'] },
  {
    name: 'waiting keeps what it did not reach',
    before: [old('Ready', 'True'), old('B', 'True')],
    given: { A: good },
    outcome: { type: 'waiting', reason: 'NotYet', message: 'wait' },
    want: ['Ready=Unknown/NotYet', 'Reconciling=True/Progressing', 'A=True/Fine', 'B=True/Before'],
  },
  {
    name: 'a failure that is retried',
    given: {},
    outcome: { type: 'failed', reason: 'Oops', message: 'oops' },
    want: ['Ready=False/Oops', 'Reconciling=True/ProgressingWithRetry'],
  },
  {
    name: 'stalled, after it had been reconciling',
    before: [old('Reconciling', 'True')],
    given: { A: bad },
    outcome: { type: 'stalled', reason: 'BadSpec', message: 'fix it' },
    want: ['Ready=False/BadSpec', 'Stalled=True/BadSpec', 'A=False/Broken'],
  },
  {
    name: 'suspended keeps its readiness and conditions',
    before: [old('Ready', 'True'), old('Stalled', 'True'), old('A', 'True')],
    given: {},
    outcome: { type: 'suspended' },
    want: ['Ready=True/Before', 'Suspended=True/Suspended', 'A=True/Before'],
  },
  { name: 'what a complete pass did not mark goes', before: [old('Old', 'True')], given: { A: good, B: good }, outcome: { type: 'done' }, want: ['Ready=True/Succeeded', 'A=True/Fine', 'B=True/Fine'] },
])('$name', ({ before = [], given, outcome, want }) => {
  const conditions = summarize({ before, marks: marks(given), ready: ['A', 'B'], outcome, generation: 2, now: NOW });
  expect(conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`)).toEqual(want);
});

test('the time of a transition moves only when the status does', () => {
  const before = [old('Ready', 'True'), old('A', 'False')];
  const conditions = summarize({ before, marks: marks({ A: good }), ready: ['A'], outcome: { type: 'done' }, generation: 2, now: NOW });
  expect(conditions.map(({ type, lastTransitionTime, observedGeneration }) => [type, lastTransitionTime, observedGeneration])).toEqual([
    ['Ready', EARLIER, 2],
    ['A', '2026-01-02T03:04:05Z', 2],
  ]);
});

test('a message without end is cut', () => {
  const conditions = summarize({ before: [], marks: marks({ A: { ...bad, message: 'x'.repeat(5000) } }), ready: ['A'], outcome: { type: 'done' }, generation: 1, now: NOW });
  for (const { message } of conditions) expect(message.length).toBeLessThanOrEqual(1024);
});

const anyMark = fc.record({ status: fc.constantFrom<ConditionStatus>('True', 'False', 'Unknown'), reason: fc.constant('R'), message: fc.string() });
const anyOutcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ type: 'done' }),
  fc.record({ type: fc.constantFrom('waiting', 'failed', 'stalled'), reason: fc.constant('R'), message: fc.string() }),
);

test('over any sequence of passes: exactly one of Ready, Reconciling and Stalled is True, and no stale generation is ever Current', () => {
  const pass = fc.record({ outcome: anyOutcome, marks: fc.dictionary(fc.constantFrom('A', 'B', 'C'), anyMark), newSpec: fc.boolean() });
  fc.assert(
    fc.property(fc.array(pass, { minLength: 1, maxLength: 10 }), (passes) => {
      let generation = 1;
      let status: { observedGeneration: number; conditions: Condition[] } = { observedGeneration: -1, conditions: [] };
      const health = (): string => kstatus({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', generation }, status });
      expect(health()).toBe('InProgress');
      for (const { outcome, marks: given, newSpec } of passes) {
        if (newSpec) {
          generation += 1;
          expect(health()).not.toBe('Current');
        }
        const conditions = summarize({ before: status.conditions, marks: marks(given), ready: ['A', 'B'], outcome, generation, now: NOW });
        status = { conditions, observedGeneration: handled(outcome) ? generation : status.observedGeneration };
        const isTrue = (type: string): number => (conditions.some((entry) => entry.type === type && entry.status === 'True') ? 1 : 0);
        expect(isTrue('Ready') + isTrue('Reconciling') + isTrue('Stalled')).toBe(1);
        expect(new Set(conditions.map(({ type }) => type)).size).toBe(conditions.length);
        expect(health()).toBe(isTrue('Ready') ? 'Current' : isTrue('Stalled') ? 'Failed' : 'InProgress');
      }
    }),
  );
});
