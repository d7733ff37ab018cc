import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { Suspension } from '../../runner/engine/node-run.ts';
import { Database } from '../../store/database.ts';
import { countRuns, encodeRuns } from '../../store/history.ts';
import type { ObjectStorage, ObjectStorageSettings } from '../../store/objects/object-storage.ts';
import { pruneObjects } from '../../store/objects/prune.ts';
import { openS3 } from '../../store/objects/s3.ts';
import { NO_OBSERVER } from '../../store/observer.ts';
import { openStore, type Store } from '../../store/store.ts';
import { eventually } from '../eventually.ts';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';
import { accept, claimOne, KEEP_ALL, newStore, nodeRun, publish, succeeded } from '../postgres/test-store.ts';
import { startS3, type S3Server } from '../s3/s3-server.ts';

jest.setTimeout(120_000);

const SECRET = 'not-to-be-seen';
const HOUR_MS = 3_600_000;

let postgres: Postgres;
let s3: S3Server;
let settings: ObjectStorageSettings;
/** What is in the bucket. */
let storage: ObjectStorage;
let store: Store;
let url: string;
let sql: Client;
const logged: unknown[] = [];
const log = { info: (...line: unknown[]) => void logged.push(line), warn: (...line: unknown[]) => void logged.push(line) };

beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] = 'millrace';
  process.env['AWS_SECRET_ACCESS_KEY'] = SECRET;
  [postgres, s3] = await Promise.all([startPostgres(), startS3()]);
  await fetch(`${s3.endpoint}/millrace`, { method: 'PUT' });
  settings = { bucket: 'millrace', endpoint: s3.endpoint, prefix: 'shop/', forcePathStyle: true, payloadBytes: 64 * 1024 };
  storage = await openS3(settings, NO_OBSERVER);
  ({ store, url } = await newStore(postgres, { objectStorage: settings, log }));
  sql = new Client({ connectionString: url });
  await sql.connect();
  await publish(store);
});
afterAll(async () => {
  delete process.env['AWS_ACCESS_KEY_ID'];
  delete process.env['AWS_SECRET_ACCESS_KEY'];
  await store.close();
  await sql.end();
  storage.close();
  await s3.stop();
  await postgres.stop();
});

async function keys(kind: string): Promise<string[]> {
  const found: string[] = [];
  for await (const page of storage.list(`${kind}/`)) found.push(...page.map(({ key }) => key));
  return found;
}

async function column(text: string, values: unknown[] = []): Promise<number> {
  const { rows: [row] } = await sql.query<{ n: string | number }>(text, values);
  return Number(row?.n);
}

/** Compresses badly. */
function large(bytes: number): { json: { text: string } }[] {
  return [{ json: { text: randomBytes(bytes * 0.75).toString('base64') } }];
}

/** An id like those of executions, of now or so long ago. */
function executionId(ageMs = 0): string {
  const hex = (Date.now() - ageMs).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${randomUUID().slice(15)}`;
}

/** As two hours from now. */
async function prune(retentionDays = 14): Promise<number> {
  const database = new Database({ url, applicationName: 'prune', poolSize: 1, onBroken: () => undefined });
  try {
    return await pruneObjects({ database, storage, now: () => Date.now() + 2 * HOUR_MS }, { retentionDays, everyMs: 0 });
  } finally {
    await database.close();
  }
}

const MIB = 2 ** 20;

describe('files', () => {
  test.each([0, 1, MIB, 5 * MIB, 5 * MIB + 1])('one of %d bytes comes back as it was', async (size) => {
    const file = { executionId: executionId(), id: randomUUID(), bytes: randomBytes(size) };
    await store.binaries.put(file);
    await store.binaries.put(file);
    expect(Buffer.compare(await store.binaries.get(file.id) ?? Buffer.from('none'), file.bytes)).toBe(0);
  });

  test('one that is streamed is counted, and read in parts', async () => {
    const bytes = randomBytes(20 * MIB);
    const file = { executionId: executionId(), id: randomUUID() };
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 100_001) yield bytes.subarray(at, at + 100_001);
    }
    expect(await store.binaries.write(file, pieces())).toEqual({ size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    for (const [offset, length] of [[0, 1], [7 * MIB, 3 * MIB], [bytes.length - 5, 100], [bytes.length, 10], [3, 0]] as const) {
      expect(Buffer.compare(await store.binaries.read(file.id, offset, length) ?? Buffer.from('none'), bytes.subarray(offset, offset + length))).toBe(0);
    }
    expect(await column('SELECT count(*) AS n FROM millrace.binary_chunk')).toBe(0);
  });

  test('a stream that breaks leaves no file, and no parts', async () => {
    const file = { executionId: executionId(), id: randomUUID() };
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield randomBytes(11 * MIB);
      throw new Error('The caller went away');
    }
    await expect(store.binaries.write(file, pieces())).rejects.toThrow('went away');
    expect(await store.binaries.get(file.id)).toBeUndefined();
    expect((await keys('files')).filter((key) => key.endsWith(file.id))).toEqual([]);
    expect(await (await fetch(`${s3.endpoint}/millrace?uploads`)).text()).not.toContain('<Upload>');
  });

  test('those of PostgreSQL stay readable; without the storage the others are refused with a code', async () => {
    const before = await openStore({ url, applicationName: 'before' });
    const old = { executionId: executionId(), id: randomUUID(), bytes: randomBytes(10) };
    const recent = { executionId: executionId(), id: randomUUID(), bytes: randomBytes(10) };
    await before.binaries.put(old);
    await store.binaries.put(recent);
    expect(await store.binaries.get(old.id)).toEqual(old.bytes);
    expect(await store.binaries.read(old.id, 2, 3)).toEqual(old.bytes.subarray(2, 5));
    expect(await store.binaries.get(randomUUID())).toBeUndefined();
    await expect(before.binaries.get(recent.id)).rejects.toMatchObject({ code: 'ObjectStorageOff' });
    await expect(before.binaries.read(recent.id, 0, 1)).rejects.toMatchObject({ code: 'ObjectStorageOff' });
    await before.close();
  });
});

describe('payloads', () => {
  test('large ones go from the trigger to the history through the storage, small ones do not', async () => {
    const [trigger, result] = [large(100_000), large(200_000)];
    await accept(store, { trigger: { node: 'Start', items: trigger } });
    await accept(store);
    const claim = await claimOne(store);
    expect(claim.trigger.items).toEqual(trigger);
    const run = nodeRun({ outputs: [result] });
    await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [run], recordings: [] } }]);
    expect(await store.executions.nodeRuns(claim.executionId)).toEqual([run]);
    expect(await column('SELECT sum(length(trigger) + (SELECT sum(length(data)) FROM millrace.checkpoint)) AS n FROM millrace.queue WHERE id = $1', [claim.executionId])).toBeLessThan(1000);

    await store.queue.release([claim]);
    const again = (await store.queue.claim({ pool: 'default', runner: 'runner-2', limit: 2 })).claims;
    const next = again.find(({ executionId: id }) => id === claim.executionId);
    const small = again.find(({ executionId: id }) => id !== claim.executionId);
    expect(next?.checkpoints[0]?.runs).toEqual([run]);
    if (!next || !small) throw new Error('Two claims were expected');
    // As executors encode them.
    const encodedRuns = { counts: countRuns([run]), data: new Uint8Array(await encodeRuns([run], 'All')) };
    await store.queue.finish([{ ...next, result: { ...succeeded({ runs: [] }), encodedRuns }, save: KEEP_ALL }, { ...small, result: succeeded(), save: KEEP_ALL }]);
    expect(await store.executions.nodeRuns(claim.executionId)).toEqual([run]);
    expect(await store.executions.get(claim.executionId)).toMatchObject({ status: 'Succeeded', hasItems: true, nodes: [{ items: [1] }] });
    expect(await column('SELECT max(length(data)) AS n FROM millrace.execution')).toBeLessThan(1000);
    const [of, others] = [(await keys('live')).concat(await keys('kept')).map((key) => key.split('/')[2]), small.executionId];
    expect(of.filter((id) => id === claim.executionId)).toHaveLength(3);
    expect(of).not.toContain(others);
  });

  test('a wait ends with what a large call brought', async () => {
    const items = large(100_000);
    const id = await accept(store);
    const claim = await claimOne(store);
    const suspension: Suspension = { node: 'Wait', runIndex: 0, wait: { on: 'webhook', request: { parameters: { note: items } } } };
    await store.queue.checkpoint([{ ...claim, checkpoint: { sequence: 0, runs: [], recordings: [], waiting: suspension } }]);
    await store.queue.wait([{ ...claim, wait: { node: 'Wait', on: 'webhook' } }]);
    expect(await store.queue.waiting(id)).toMatchObject({ node: 'Wait', request: suspension.wait.request });
    expect(await store.queue.resume({ executionId: id, node: 'Wait', items })).toBe(true);
    expect(await column('SELECT length(resume) AS n FROM millrace.queue WHERE id = $1', [id])).toBeLessThan(1000);
    const next = await claimOne(store);
    expect(next.resume).toEqual({ node: 'Wait', cause: 'call', items });
    await store.queue.finish([{ ...next, result: succeeded(), save: KEEP_ALL }]);
  });

  test('a dead letter keeps its own until it is queued again, and after that', async () => {
    const trigger = { node: 'Start', items: large(100_000) };
    const id = await accept(store, { trigger });
    for (let n = 0; n < 3; n += 1) {
      await sql.query("UPDATE millrace.queue SET state = 'Ready' WHERE id = $1", [id]);
      await store.queue.crash([{ ...await claimOne(store), reason: 'ExecutorOutOfMemory' }]);
    }
    await prune();
    expect(await store.deadLetters.get(id)).toMatchObject({ id, trigger });
    expect(await store.deadLetters.requeue(id)).toBe(true);
    const claim = await claimOne(store);
    expect(claim.trigger).toEqual(trigger);
    await store.queue.finish([{ ...claim, result: succeeded(), save: KEEP_ALL }]);
  });

  test('one whose object is gone is given up as a dead letter, with a code, and harms nobody beside it', async () => {
    const id = await accept(store, { trigger: { node: 'Start', items: large(100_000) } });
    const other = await accept(store);
    const [key = ''] = (await keys('live')).filter((each) => each.includes(id));
    const bytes = await storage.get(key) ?? Buffer.alloc(0);
    await storage.remove([key]);
    const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 5 });
    expect(claims.map(({ executionId: each }) => each)).toEqual([other]);
    await store.queue.finish(claims.map((claim) => ({ ...claim, result: succeeded(), save: KEEP_ALL })));
    for (let n = 0; n < 2; n += 1) {
      await sql.query("UPDATE millrace.queue SET state = 'Ready' WHERE id = $1", [id]);
      expect((await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 5 })).claims).toEqual([]);
    }
    await expect(store.deadLetters.get(id)).rejects.toMatchObject({ code: 'ObjectMissing', message: expect.stringContaining(key) });
    await storage.put(key, bytes);
    expect(await store.deadLetters.get(id)).toMatchObject({ id, crashes: [{ reason: 'ObjectMissing' }, {}, {}] });
    await store.deadLetters.discard(id);
  });
});

test('pruning removes what no row names, and nothing else', async () => {
  await prune();
  const finish = async (success: 'All' | 'None'): Promise<string> => {
    const id = await accept(store, { trigger: { node: 'Start', items: large(100_000) } });
    await store.binaries.put({ executionId: id, id, bytes: randomBytes(10) });
    const claim = await claimOne(store);
    await store.queue.finish([{ ...claim, result: succeeded({ runs: [nodeRun({ outputs: [large(100_000)] })] }), save: { success, failure: 'All' } }]);
    return id;
  };
  const [kept, forgotten] = [await finish('All'), await finish('None')];
  const waiting = await accept(store, { trigger: { node: 'Start', items: large(100_000) } });
  // Of a day that the history has dropped: one file without a row, and one of an execution that still waits.
  const [over, early] = [executionId(30 * 24 * HOUR_MS), executionId(30 * 24 * HOUR_MS)];
  await accept(store, { id: early, trigger: { node: 'Start', items: large(100_000) } });
  await store.binaries.put({ executionId: early, id: early, bytes: randomBytes(10) });
  for (const [kind, execution] of [['kept', over], ['files', over], ['live', over]] as const) {
    await storage.put(`${kind}/${new Date(Date.now() - 30 * 24 * HOUR_MS).toISOString().slice(0, 10)}/${execution}/${randomUUID()}`, randomBytes(3));
  }
  await sql.query("UPDATE millrace.binary_object SET created_at = now() - interval '2 hours'");
  await prune();
  const left = async (kind: string): Promise<Set<string | undefined>> => new Set((await keys(kind)).map((key) => key.split('/')[2]));
  expect(await left('live')).toEqual(new Set([early, waiting]));
  expect(await left('files')).toEqual(new Set([early, kept]));
  const inHistory = await left('kept');
  expect([inHistory.has(kept), inHistory.has(over)]).toEqual([true, false]);
  expect(await store.binaries.get(forgotten)).toBeUndefined();
  expect(await store.executions.nodeRuns(kept)).toHaveLength(1);
  // Within the hour nothing is removed, nor by two at once.
  expect(await store.pruneObjects()).toBe(0);
});

test('while the storage is away, what is in it is refused with a code or waits, and all else goes on; nothing is lost', async () => {
  await sql.query('DELETE FROM millrace.queue');
  const items = large(100_000);
  const before = await accept(store, { trigger: { node: 'Start', items } });
  const file = { executionId: before, id: randomUUID(), bytes: randomBytes(10) };
  await store.binaries.put(file);
  await s3.kill();
  try {
    await expect(store.binaries.get(file.id)).rejects.toMatchObject({ code: 'ObjectStorageUnavailable', transient: true });
    await expect(store.binaries.put({ ...file, id: randomUUID() })).rejects.toMatchObject({ code: 'ObjectStorageUnavailable' });
    expect(store.objectStorageProblem()).toBe('ObjectStorageUnavailable');
    const small = await accept(store);
    const meanwhile = await accept(store, { trigger: { node: 'Start', items } });
    const { claims } = await store.queue.claim({ pool: 'default', runner: 'runner-1', limit: 5 });
    expect(claims.map(({ executionId: id }) => id).sort()).toEqual([small, meanwhile].sort());
    await store.queue.finish(claims.map((claim) => ({ ...claim, result: succeeded({ runs: [nodeRun({ outputs: [items] })] }), save: KEEP_ALL })));
    expect(await store.executions.nodeRuns(meanwhile)).toEqual([nodeRun({ outputs: [items] })]);
    expect(await store.executions.get(before)).toMatchObject({ status: 'Queued', crashes: 0 });
    await expect(openStore({ url, applicationName: 'new', objectStorage: settings })).rejects.toMatchObject({ code: 'ObjectStorageUnavailable' });
  } finally {
    await s3.start();
  }
  expect(await store.binaries.get(file.id)).toEqual(file.bytes);
  expect(store.objectStorageProblem()).toBeUndefined();
  await sql.query("UPDATE millrace.queue SET run_at = now() WHERE id = $1 AND state = 'Delayed'", [before]);
  // One claim makes it ready, the next takes it.
  const claim = await eventually(async () => claimOne(store));
  expect(claim).toMatchObject({ executionId: before, crashes: 0, trigger: { items } });
});

test('a bucket that is not there, one of another installation, and no credentials are refused at the start; no secret is told', async () => {
  const start = async (change: Partial<ObjectStorageSettings>): Promise<unknown> =>
    openStore({ url, applicationName: 'wrong', log, objectStorage: { ...settings, ...change } }).then(() => undefined, (error: unknown) => error);
  const error = await start({ bucket: 'another' });
  expect(error).toMatchObject({ code: 'ObjectStorageRefused', message: expect.stringContaining('NoSuchBucket') });
  expect(JSON.stringify([logged, error, String((error as Error).stack), (error as Error).cause])).not.toContain(SECRET);
  await expect(newStore(postgres, { objectStorage: settings })).rejects.toMatchObject({ code: 'ObjectStorageMisconfigured' });
  await (await newStore(postgres, { objectStorage: { ...settings, prefix: 'bakery/' } })).store.close();
  delete process.env['AWS_SECRET_ACCESS_KEY'];
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  expect(await start({ bucket: 'millrace' })).toMatchObject({ code: 'ObjectStorageRefused', message: expect.stringContaining('no credentials') });
  delete process.env['AWS_EC2_METADATA_DISABLED'];
  process.env['AWS_SECRET_ACCESS_KEY'] = SECRET;
});

afterEach(() => { expect(JSON.stringify(logged)).not.toContain(SECRET); });
