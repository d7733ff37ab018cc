import { describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, connect } from 'node:tls';
import { createAuthority, issueServing } from './certificate.ts';
import type { Certificates } from './rotation.ts';
import { rotate } from './rotation.ts';

const DAY = 86_400_000;
const names = ['webhooks.millrace.svc', 'webhooks.millrace.svc.cluster.local'];
const now = Date.parse('2026-06-01T00:00:00Z');
const first = rotate({ current: undefined, trusted: '', names, now }).certificates;
const authorities = (pem: string) => pem.split(/(?<=-----END CERTIFICATE-----\n)/).map((text) => new X509Certificate(text));

/** Whether a TLS client that trusts `ca` believes the server. */
async function handshake({ 'tls.crt': cert, 'tls.key': key }: Certificates, ca: string): Promise<boolean> {
  const server = createServer({ cert, key }, (socket) => socket.end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = connect({ port, host: '127.0.0.1', servername: names[0] ?? '', ca, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { authorized } = socket;
  socket.destroy();
  server.close();
  return authorized;
}

test('a client that trusts the authority believes the certificate', async () => {
  const real = rotate({ current: undefined, trusted: '', names, now: Date.now() }).certificates;
  expect(await handshake(real, real['ca.crt'])).toBe(true);
  expect(await handshake(real, createAuthority(Date.now(), DAY).cert)).toBe(false);
});

test('certificates say what they are for', () => {
  const authority = createAuthority(now, 3650 * DAY);
  const ca = new X509Certificate(authority.cert);
  expect([ca.ca, ca.checkIssued(ca), ca.verify(ca.publicKey), ca.validToDate.toISOString()]).toEqual([true, true, true, '2036-05-29T00:00:00.000Z']);
  const serving = new X509Certificate(issueServing(authority, names, { now, lifetimeMs: 90 * DAY }).cert);
  expect([serving.ca, serving.verify(ca.publicKey), serving.subjectAltName]).toEqual([false, true, 'DNS:webhooks.millrace.svc, DNS:webhooks.millrace.svc.cluster.local']);
  expect(new X509Certificate(createAuthority(Date.parse('2049-06-01T00:00:00Z'), 3650 * DAY).cert).validToDate.getUTCFullYear()).toBe(2059);
});

describe('rotation', () => {
  test('does nothing while nothing is due', () => {
    const again = rotate({ current: first, trusted: first['ca.crt'], names, now: now + 59 * DAY });
    expect(again.certificates).toEqual(first);
    expect((again.nextAt - now) / DAY).toBeCloseTo(60, 0);
  });

  test('renews the served certificate after two thirds of its life', () => {
    const { certificates } = rotate({ current: first, trusted: first['ca.crt'], names, now: now + 61 * DAY });
    expect(certificates['ca.crt']).toBe(first['ca.crt']);
    expect(certificates['tls.crt']).not.toBe(first['tls.crt']);
  });

  test('renews it when the Service has another name', () => {
    const { certificates } = rotate({ current: first, trusted: first['ca.crt'], names: ['other.millrace.svc'], now });
    expect(new X509Certificate(certificates['tls.crt']).checkHost('other.millrace.svc')).toBe('other.millrace.svc');
  });

  test('announces a new authority before it signs, and forgets the old one after', () => {
    const later = now + 2434 * DAY;
    const serving = rotate({ current: first, trusted: first['ca.crt'], names, now: later - 2 * DAY }).certificates;
    const announced = rotate({ current: serving, trusted: first['ca.crt'], names, now: later }).certificates;
    expect(authorities(announced['ca.crt'])).toHaveLength(2);
    expect(announced['tls.crt']).toBe(serving['tls.crt']);

    expect(rotate({ current: announced, trusted: first['ca.crt'], names, now: later }).certificates['tls.crt']).toBe(serving['tls.crt']);
    const signed = rotate({ current: announced, trusted: announced['ca.crt'], names, now: later }).certificates;
    expect(new X509Certificate(signed['tls.crt']).checkIssued(authorities(announced['ca.crt'])[0] ?? new X509Certificate(first['ca.crt']))).toBe(true);
    expect(authorities(rotate({ current: signed, trusted: signed['ca.crt'], names, now: later }).certificates['ca.crt'])).toHaveLength(1);
  });

  test.each([{ 'tls.crt': 'broken' }, { 'ca.key': '' }, { 'ca.crt': '' }])('starts anew from %j', (damage) => {
    const { certificates } = rotate({ current: { ...first, ...damage }, trusted: '', names, now });
    expect(new X509Certificate(certificates['tls.crt']).checkIssued(new X509Certificate(certificates['ca.crt']))).toBe(true);
  });
});
