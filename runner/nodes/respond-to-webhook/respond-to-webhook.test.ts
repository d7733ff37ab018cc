import { createVerify, generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../engine/item.ts';
import type { WebhookResponse } from '../../engine/node-run.ts';
import { runNode } from '../testing/run-node.ts';
import { signToken } from './sign-token.ts';

async function respond(parameters: JsonObject, items: JsonObject[] = [{ a: 1 }, { a: 2 }]): Promise<WebhookResponse | undefined> {
  let sent: WebhookResponse | undefined;
  const { json } = await runNode({ type: 'respondToWebhook', version: 1.1, mode: 'Webhook', parameters, items, host: { respond: async (response) => { sent = response; } } });
  expect(json).toEqual([items]);
  return sent;
}

const jsonType = { 'content-type': 'application/json; charset=utf-8' };

test.each([
  { parameters: {}, want: { status: 200, headers: jsonType, body: '{"a":1}' } },
  { parameters: { respondWith: 'allIncomingItems', options: { responseKey: 'rows' } }, want: { body: '{"rows":[{"a":1},{"a":2}]}' } },
  { parameters: { respondWith: 'json', responseBody: '{"x": 1}', options: { responseCode: 201 } }, want: { status: 201, body: '{"x":1}' } },
  { parameters: { respondWith: 'text', responseBody: '={{ $json.a }}', options: { responseHeaders: { entries: [{ name: 'Content-Type', value: 'text/csv' }] } } }, want: { headers: { 'content-type': 'text/csv' }, body: '1' } },
  { parameters: { respondWith: 'noData', options: { responseCode: 204 } }, want: { status: 204, headers: {}, body: '' } },
  { parameters: { respondWith: 'redirect', redirectURL: 'https://x.example' }, want: { status: 307, headers: { location: 'https://x.example' } } },
])('answers $want', async ({ parameters, want }) => expect(await respond(parameters)).toMatchObject(want));

test('signs tokens that others can check, and shows no key in errors', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const token = signToken({ sub: 'x' }, { algorithm: 'ES256', privateKey: pem }, 1_000_000);
  const [header = '', payload = '', signature = ''] = token.split('.');
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toEqual({ iat: 1000, sub: 'x' });
  expect(createVerify('sha256').update(`${header}.${payload}`).verify({ key: publicKey, dsaEncoding: 'ieee-p1363' }, signature, 'base64url')).toBe(true);
  expect(signToken({ sub: 'x' }, { secret: 'key' }, 0)).toMatch(/^eyJhbGciOiJIUzI1NiIs/);
  expect(() => signToken({}, { algorithm: 'RS256', privateKey: 'PRIVATE-TEXT' }, 0)).toThrow(expect.objectContaining({ code: 'InvalidCredential', message: expect.not.stringContaining('PRIVATE-TEXT') }));
});
