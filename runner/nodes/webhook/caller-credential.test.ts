import { expect, test } from '@jest/globals';
import { callerCredential, secretName } from './caller-credential.ts';

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

test.each([
  { authentication: 'basicAuth', credentials: { httpBasicAuth: { name: 'Callers' } }, want: { type: 'httpBasicAuth', secret: 'callers' } },
  { authentication: 'jwtAuth', credentials: { httpBasicAuth: { name: 'Callers' } }, want: undefined },
  { authentication: 'none', credentials: { httpBasicAuth: { name: 'Callers' } }, want: undefined },
  { authentication: 'constructor', credentials: {}, want: undefined },
  { authentication: 'headerAuth', credentials: { httpHeaderAuth: { name: '?' } }, want: undefined },
])('$authentication', ({ authentication, credentials, want }) => {
  expect(callerCredential(authentication, credentials)).toEqual(want);
});
