import { expect, test } from '@jest/globals';
import { callerCredential } from './caller-credential.ts';

test.each([
  { authentication: 'basicAuth', credentials: { httpBasicAuth: { name: 'Callers' } }, want: { type: 'httpBasicAuth', secret: 'callers' } },
  { authentication: 'jwtAuth', credentials: { httpBasicAuth: { name: 'Callers' } }, want: undefined },
  { authentication: 'none', credentials: { httpBasicAuth: { name: 'Callers' } }, want: undefined },
  { authentication: 'constructor', credentials: {}, want: undefined },
  { authentication: 'headerAuth', credentials: { httpHeaderAuth: { name: '?' } }, want: undefined },
])('$authentication', ({ authentication, credentials, want }) => {
  expect(callerCredential(authentication, credentials)).toEqual(want);
});
