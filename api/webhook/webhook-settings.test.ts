import { expect, test } from '@jest/globals';
import { webhookSettings } from './webhook-settings.ts';

test.each([
  { name: 'nothing', parameters: {}, want: { status: 200, body: '{"message":"Workflow was started"}' } },
  { name: 'a code', parameters: { options: { responseCode: { values: { responseCode: 202 } } } }, want: { status: 202 } },
  { name: 'no body', parameters: { responseCode: 201, options: { noResponseBody: true } }, want: { status: 201, body: '' } },
  { name: 'a text', parameters: { options: { responseData: 'thanks' } }, want: { status: 200, body: 'thanks', headers: { 'content-type': 'text/html; charset=utf-8' } } },
])('answers at once with $name', ({ parameters, want }) => {
  expect(webhookSettings(parameters).received).toMatchObject(want);
});

test.each([
  { parameters: {}, want: undefined },
  { parameters: { authentication: 'none', options: { ipWhitelist: ' ' } }, want: undefined },
  { parameters: { authentication: 'basicAuth', options: { ipWhitelist: '10.0.0.1', rawBody: true } }, want: undefined },
  { parameters: { authentication: '={{ "none" }}' }, want: 'the authentication ={{ "none" }}' },
  { parameters: { authentication: 7 }, want: 'the authentication that is not written out' },
  { parameters: { options: { ipWhitelist: 'example.com' } }, want: expect.stringContaining('ipWhitelist') },
  { parameters: { options: 'what?' }, want: expect.stringContaining('ipWhitelist') },
])('does not serve $want', ({ parameters, want }) => {
  expect(webhookSettings(parameters).unsupported).toEqual(want);
});

test('everybody may call when nothing is asked for, and nobody when it cannot be checked', () => {
  expect(webhookSettings({ authentication: 'none' }).callers).toBeUndefined();
  expect(webhookSettings({ authentication: 'basicAuth' }).callers).toMatchObject({ credential: null });
  expect(webhookSettings({ authentication: 'basicAuth' }, { type: 'jwtAuth', secret: 'a' }).callers).toMatchObject({ credential: null });
});

test.each([
  { allowed: undefined, origin: 'https://a.example', want: '*' },
  { allowed: 'https://a.example, https://b.example', origin: 'https://b.example', want: 'https://b.example' },
  { allowed: 'https://a.example', origin: 'https://evil.example', want: undefined },
  { allowed: 'https://a.example', origin: undefined, want: undefined },
])('origin $origin of $allowed', ({ allowed, origin, want }) => {
  expect(webhookSettings({ options: allowed === undefined ? {} : { allowedOrigins: allowed } }).allowedOrigin(origin)).toBe(want);
});
