import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { healthServer, type Health } from './health-server.ts';

let server: Server;
let health: () => Health | Promise<Health>;
const registry = new Registry();
new Counter({ name: 'things_total', help: 'Things.', registers: [registry] }).inc(3);

beforeEach(async () => {
  health = () => ({ live: true, ready: true, problems: [] });
  server = await healthServer(0, registry, () => health());
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function get(path: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return { status: response.status, body: await response.text() };
}

describe('healthServer', () => {
  const waiting: Health = { live: true, ready: false, problems: ['waits for the database'] };
  test.each([
    { name: 'ready', path: '/readyz', given: { live: true, ready: true, problems: [] }, want: { status: 200, body: 'ok\n' } },
    { name: 'alive but not ready', path: '/readyz', given: waiting, want: { status: 503, body: 'waits for the database\n' } },
    { name: 'alive though not ready', path: '/healthz', given: waiting, want: { status: 200, body: 'waits for the database\n' } },
    { name: 'dead', path: '/healthz', given: { live: false, ready: false, problems: ['stuck'] }, want: { status: 503, body: 'stuck\n' } },
    { name: 'an unknown path', path: '/other', given: waiting, want: { status: 404, body: 'not found\n' } },
  ])('$path when $name', async ({ path, given, want }) => {
    health = () => given;
    expect(await get(path)).toEqual(want);
  });

  test('a check that throws is a 500 that says why', async () => {
    health = () => Promise.reject(new Error('no answer'));
    expect(await get('/readyz')).toEqual({ status: 500, body: 'no answer\n' });
  });

  test('metrics are served, with a query or without', async () => {
    expect((await get('/metrics?name=x')).body).toContain('things_total 3');
  });
});
