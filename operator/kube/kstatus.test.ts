import { expect, test } from '@jest/globals';
import { kstatus } from './kstatus.ts';

const condition = (type: string, status: string): object => ({ type, status, reason: 'R', message: '', lastTransitionTime: '' });

test.each([
  { name: 'no status at all', status: undefined, want: 'Current' },
  { name: 'created, never seen', status: { observedGeneration: -1 }, want: 'InProgress' },
  { name: 'an old generation, though Ready', status: { observedGeneration: 1, conditions: [condition('Ready', 'True')] }, want: 'InProgress' },
  { name: 'Ready', status: { observedGeneration: 2, conditions: [condition('Ready', 'True')] }, want: 'Current' },
  { name: 'not Ready', status: { observedGeneration: 2, conditions: [condition('Ready', 'False')] }, want: 'InProgress' },
  { name: 'Ready unknown', status: { observedGeneration: 2, conditions: [condition('Ready', 'Unknown')] }, want: 'InProgress' },
  { name: 'Reconciling', status: { observedGeneration: 2, conditions: [condition('Ready', 'True'), condition('Reconciling', 'True')] }, want: 'InProgress' },
  { name: 'Stalled', status: { observedGeneration: 2, conditions: [condition('Ready', 'False'), condition('Stalled', 'True')] }, want: 'Failed' },
  { name: 'no longer Stalled', status: { observedGeneration: 2, conditions: [condition('Ready', 'True'), condition('Stalled', 'False')] }, want: 'Current' },
])('$name: $want', ({ status, want }) => {
  expect(kstatus({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', generation: 2 }, status })).toBe(want);
});

test('being deleted comes first', () => {
  expect(kstatus({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', deletionTimestamp: 'now' }, status: { observedGeneration: 9 } })).toBe('Terminating');
});

test('an observedGeneration that is text is an error', () => {
  expect(() => kstatus({ apiVersion: 'v1', kind: 'X', metadata: { name: 'x', generation: 2 }, status: { observedGeneration: '2' } })).toThrow('integer');
});
