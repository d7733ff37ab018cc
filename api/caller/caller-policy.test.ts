import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { signToken } from '../../runner/nodes/respond-to-webhook/sign-token.ts';
import { MemoryStore } from '../testdata/memory-store.ts';
import { route, webhookTrigger } from '../testdata/route.ts';
import { startTestServer } from '../testdata/test-server.ts';
import type { TestServer } from '../testdata/test-server.ts';
import { isBot } from './bots.ts';
import { callerAddress } from './caller-address.ts';
import { verifyToken } from './verify-token.ts';

let server: TestServer;
let memory: MemoryStore;

beforeEach(async () => {
  memory = new MemoryStore();
  const hook = (path: string, authentication: string, type: string) =>
    route(path, [webhookTrigger('POST', path, { options: { authentication }, credential: { type, secret: path } })]);
  memory.routeList = [
    hook('basic', 'basicAuth', 'httpBasicAuth'), hook('header', 'headerAuth', 'httpHeaderAuth'), hook('jwt', 'jwtAuth', 'jwtAuth'),
    route('near', [webhookTrigger('POST', 'near', { options: { options: { ipWhitelist: '192.0.2.0/24', ignoreBots: true } } })]),
    route('here', [webhookTrigger('POST', 'here', { options: { options: { ipWhitelist: '127.0.0.1, ::1', ignoreBots: true } } })]),
  ];
  server = await startTestServer({}, memory);
  server.cluster.addCredential('basic', 'httpBasicAuth', { user: 'ada', password: 'pa:ss' });
  server.cluster.addCredential('header', 'httpHeaderAuth', { name: 'X-Key', value: 'geheim' });
  server.cluster.addCredential('jwt', 'jwtAuth', { secret: 'geheim' });
});

afterEach(() => server.stop());

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
const bearer = (claims: object, credential = { secret: 'geheim' }) => ({ authorization: `Bearer ${signToken(claims, credential, Date.now())}` });
const call = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${server.url}/webhook/shop/${path}`, { method: 'POST', headers });
  const body = (await response.json()) as Record<string, unknown> & { error?: { code: string } };
  return { status: response.status, headers: response.headers, body, code: body.error?.code };
};
const now = () => Math.floor(Date.now() / 1000);

test.each([
  { path: 'basic', headers: () => basic('ada:pa:ss') },
  { path: 'header', headers: () => ({ 'x-key': 'geheim' }) },
  { path: 'jwt', headers: () => bearer({ sub: 'ada', exp: now() + 60 }) },
])('$path lets the right caller in, and keeps what it presented from the workflow', async ({ path, headers }) => {
  const answer = await call(path, { ...headers(), 'x-other': 'kept' });
  expect(answer.status).toBe(200);
  expect(JSON.stringify(memory.accepted)).not.toMatch(/geheim|Basic|Bearer/);
  expect(answer.body).toMatchObject({ headers: { 'x-other': 'kept' } });
  expect(answer.body['jwtPayload']).toEqual(path === 'jwt' ? expect.objectContaining({ sub: 'ada' }) : undefined);
});

test.each([
  { name: 'nothing', path: 'basic', headers: {} },
  { name: 'a wrong password', path: 'basic', headers: basic('ada:pass') },
  { name: 'another scheme', path: 'basic', headers: { authorization: 'Bearer ada:pa:ss' } },
  { name: 'no header', path: 'header', headers: {} },
  { name: 'a wrong header', path: 'header', headers: { 'x-key': 'geheim x' } },
  { name: 'no token', path: 'jwt', headers: {} },
  { name: 'a token of another key', path: 'jwt', headers: bearer({}, { secret: 'other' }) },
  { name: 'a token that is over', path: 'jwt', headers: bearer({ exp: now() - 60 }) },
  { name: 'a token that is not yet', path: 'jwt', headers: bearer({ nbf: now() + 60 }) },
  { name: 'a token without signature', path: 'jwt', headers: { authorization: `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.` } },
])('refuses $name at $path', async ({ path, headers }) => {
  const answer = await call(path, headers);
  expect([answer.status, answer.code]).toEqual([401, 'CallerUnauthenticated']);
  expect(answer.headers.has('www-authenticate')).toBe(path !== 'header');
  expect(memory.accepted).toEqual([]);
});

test.each([
  { name: 'is not there', change: () => server.cluster.secrets.clear() },
  { name: 'has another label', change: () => server.cluster.addCredential('basic', 'jwtAuth', { user: 'ada', password: 'pa:ss' }) },
  { name: 'is incomplete', change: () => server.cluster.addCredential('basic', 'httpBasicAuth', { user: 'ada', password: '' }) },
  { name: 'cannot be asked for', change: () => { server.cluster.down = true; } },
])('lets nobody in when the Secret $name, and does not say why', async ({ change }) => {
  change();
  for (const headers of [basic('ada:pa:ss'), basic('ada:'), basic(':')]) {
    const answer = await call('basic', headers);
    expect([answer.status, answer.code]).toEqual([503, 'CredentialUnavailable']);
    expect(JSON.stringify(answer.body)).not.toContain('shop/basic');
  }
});

test('goes on with what it knows while the API server is away', async () => {
  expect((await call('basic', basic('ada:pa:ss'))).status).toBe(200);
  server.cluster.down = true;
  expect((await call('basic', basic('ada:pa:ss'))).status).toBe(200);
});

test('takes calls from the listed addresses only, and none of bots', async () => {
  expect(await call('near', { 'x-forwarded-for': '192.0.2.1' })).toMatchObject({ status: 403, code: 'AddressNotAllowed' });
  expect((await call('here')).status).toBe(200);
  expect(await call('here', { 'user-agent': 'Slackbot-LinkExpanding 1.0' })).toMatchObject({ status: 403, code: 'BotRefused' });
});

test.each([
  { hops: 0, forwarded: '192.0.2.1', want: '10.0.0.1' },
  { hops: 1, forwarded: undefined, want: '10.0.0.1' },
  { hops: 1, forwarded: '1.1.1.1, 192.0.2.1', want: '192.0.2.1' },
  { hops: 2, forwarded: '1.1.1.1, 192.0.2.1, 10.0.0.9', want: '192.0.2.1' },
])('behind $hops proxies, $forwarded is $want', ({ hops, forwarded, want }) => {
  const request = { socket: { remoteAddress: '10.0.0.1' }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } };
  expect(callerAddress(request as unknown as Parameters<typeof callerAddress>[0], hops)).toBe(want);
});

test.each([['curl/8.5', false], ['Mozilla/5.0 (X11; Linux x86_64) Chrome/130', false], ['Googlebot/2.1', true], ['facebookexternalhit/1.1', true]])('%s', (agent, want) => {
  expect(isBot(agent)).toBe(want);
});

test.each(['HS256', 'HS384', 'HS512', 'RS256', 'PS384', 'ES256', 'ES512'])('%s tokens are taken with their key only', (algorithm) => {
  const bits = algorithm.slice(2);
  const curve = { 256: 'P-256', 384: 'P-384', 512: 'P-521' }[bits] ?? '';
  const pair = algorithm.startsWith('ES') ? generateKeyPairSync('ec', { namedCurve: curve }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const key = algorithm.startsWith('HS') ? 'geheim' : publicKey;
  const token = signToken({ sub: 'ada' }, { algorithm, secret: 'geheim', privateKey }, Date.now());
  expect(verifyToken(token, { algorithm, key }, Date.now())).toMatchObject({ sub: 'ada' });
  expect(verifyToken(`${token.slice(0, -8)}AAAAAAAA`, { algorithm, key }, Date.now())).toBeUndefined();
  expect(verifyToken(token, { algorithm: algorithm === 'HS256' ? 'HS384' : 'HS256', key }, Date.now())).toBeUndefined();
});

test('a public key is no shared secret', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const text = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.e30`;
  expect(verifyToken(`${text}.${createHmac('sha256', key).update(text).digest('base64url')}`, { algorithm: 'RS256', key }, 0)).toBeUndefined();
});
