import { expect, test } from '@jest/globals';
import { secretName } from './credential.ts';

test.each([
  { name: 'shop-callers', want: 'shop-callers' },
  { name: 'callers.shop', want: 'callers.shop' },
  { name: 'Header Auth account', want: 'header-auth-account' },
  { name: '  Ärger (neu) ', want: 'rger-neu' },
  { name: '../kube-system/token', want: 'kube-system-token' },
  { name: '***', want: '' },
])('$name means Secret $want', ({ name, want }) => {
  expect(secretName(name)).toBe(want);
});
