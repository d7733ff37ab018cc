import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { client } from '../../operator/kube/index.ts';
import { ConfigMap, Lease } from '../../operator/kube/builtin.ts';
import { eventually } from '../eventually.ts';
import { startKubeWorld, type KubeWorld } from './kube-world.ts';
import type { ChildProcess } from 'node:child_process';

jest.setTimeout(180_000);

let world: KubeWorld;
let namespace: string;
let dir: string;
let replicas: ChildProcess[];

beforeAll(async () => {
  world = await startKubeWorld();
}, 600_000);

afterAll(() => world.stop());

beforeEach(async () => {
  namespace = await world.newNamespace();
  dir = await mkdtemp(join(tmpdir(), 'replicas-'));
  replicas = [];
  const maps = client(world.direct, ConfigMap, { fieldManager: 'test' });
  await Promise.all(['a', 'b', 'c'].map((name) => maps.create({ metadata: { name, namespace, labels: { work: 'yes' } } })));
});

afterEach(async () => {
  for (const replica of replicas) replica.kill('SIGKILL');
  await rm(dir, { recursive: true });
});

function start(identity: string, server = world.plane.kubeconfig): ChildProcess {
  const replica = spawn(process.execPath, ['test/integration/kube-replica.ts', server, identity, namespace, join(dir, 'log')], { stdio: ['ignore', 'inherit', 'inherit'] });
  replicas.push(replica);
  return replica;
}

const exitCode = (replica: ChildProcess): Promise<number | null> => new Promise((resolve) => (replica.exitCode === null ? replica.once('exit', resolve) : resolve(replica.exitCode)));

interface Note {
  what: string;
  who: string;
  at: number;
  /** Of a write: its place in the order of the server. */
  version: number;
}

async function notes(): Promise<Note[]> {
  const text = await readFile(join(dir, 'log'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))
    .map(([what = '', who = '', at, version]) => ({ what, who, at: Number(at), version: Number(version) }));
}

/** Waits until the replica has done some work after `since`. */
async function works(who: string, since = 0): Promise<void> {
  await eventually(async () => expect((await notes()).filter((note) => note.who === who && note.what === 'write' && note.at > since).length).toBeGreaterThan(5));
}

/** Two replicas up, the first of them leading. */
async function pair(first?: string): Promise<[ChildProcess, ChildProcess]> {
  const a = start('a', first);
  await works('a');
  const b = start('b');
  await eventually(async () => expect((await notes()).some(({ what, who }) => what === 'up' && who === 'b')).toBe(true));
  return [a, b];
}

/** Everything that `a` did lies before everything that `b` did. */
async function expectApart(what: string[]): Promise<void> {
  const all = (await notes()).filter((note) => what.includes(note.what));
  const last = Math.max(...all.filter(({ who }) => who === 'a').map(({ at }) => at));
  const first = Math.min(...all.filter(({ who }) => who === 'b').map(({ at }) => at));
  expect(first).toBeGreaterThanOrEqual(last);
}

const WORK = ['start', 'write', 'end'];

test('a leader that is killed: the other takes over when the lease is over', async () => {
  const [a] = await pair();
  const killedAt = Date.now();
  a.kill('SIGKILL');
  await works('b', killedAt);
  await expectApart(WORK);
  const takenAt = (await notes()).find(({ what, who }) => what === 'start' && who === 'b')?.at ?? 0;
  // The last renewal was at most 400 ms (and a request) before the kill.
  expect(takenAt - killedAt).toBeGreaterThanOrEqual(2000);
});

test('a leader that is stopped politely finishes its passes and hands over at once', async () => {
  const [a] = await pair();
  a.kill('SIGTERM');
  expect(await exitCode(a)).toBe(0);
  await works('b');
  await expectApart(WORK);
  const all = await notes();
  const handover = (all.find(({ what, who }) => what === 'start' && who === 'b')?.at ?? 0) - (all.find(({ what }) => what === 'stopped')?.at ?? 0);
  expect(handover).toBeLessThan(2500);
  const starts = all.filter(({ what, who }) => what === 'start' && who === 'a').length;
  expect(all.filter(({ what, who }) => what === 'end' && who === 'a').length).toBe(starts);
});

test('a leader that is frozen and wakes up after the other took over writes nothing more and exits non-zero', async () => {
  const [a] = await pair();
  a.kill('SIGSTOP');
  await works('b');
  a.kill('SIGCONT');
  expect(await exitCode(a)).toBe(1);
  await works('b', Date.now());
  // An answer that came while it was frozen is noted late; only the server knows when it wrote.
  const writes = (await notes()).filter(({ what }) => what === 'write');
  const versions = (of: string): number[] => writes.filter(({ who }) => who === of).map(({ version }) => version);
  expect(Math.min(...versions('b'))).toBeGreaterThan(Math.max(...versions('a')));
});

test('a leader that is cut off stops its work and exits non-zero before the other begins', async () => {
  const proxy = await world.startProxy();
  const { server } = await proxy.credentials({ signal: new AbortController().signal, rejected: false });
  const [a] = await pair(server);
  await proxy.close();
  expect(await exitCode(a)).toBe(1);
  await works('b');
  await expectApart([...WORK, 'lost']);
});

test('the lease says who leads and since when', async () => {
  start('a');
  await works('a');
  const lease = await client(world.direct, Lease, { fieldManager: 'test' }).get(`${namespace}/replicas`);
  expect(lease?.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 3, leaseTransitions: 0, acquireTime: expect.stringMatching(/\.\d{6}Z$/) });
});
