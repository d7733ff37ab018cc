import { expect, test } from '@jest/globals';
import { isAllowed, refusalOf } from './pool-access.ts';

test.each([
  { allowed: undefined, namespace: 'shop', want: true },
  { allowed: [], namespace: 'shop', want: false },
  { allowed: ['shop'], namespace: 'shop', want: true },
  { allowed: ['shop'], namespace: 'shop-2', want: false },
  { allowed: ['team-*'], namespace: 'team-a', want: true },
  { allowed: ['team-*'], namespace: 'my-team-a', want: false },
  { allowed: ['*-prod', 'shop'], namespace: 'web-prod', want: true },
  { allowed: ['*'], namespace: 'anything', want: true },
])('$allowed allows $namespace: $want', ({ allowed, namespace, want }) => {
  expect(isAllowed(namespace, allowed)).toBe(want);
});

test('a refusal says what to do', () => {
  expect(refusalOf('gpu', 'shop', ['ml'])).toMatch(/RunnerPool gpu does not serve namespace shop.*settings\.runnerPool.*allowedNamespaces/);
  expect(refusalOf('gpu', 'ml', ['ml'])).toBeUndefined();
});
