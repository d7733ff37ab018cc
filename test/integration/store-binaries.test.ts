import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { startPostgres, type Postgres } from '../postgres/postgres.ts';
import { accept, newStore, publish } from '../postgres/test-store.ts';
import type { Store } from '../../store/store.ts';

jest.setTimeout(120_000);

let postgres: Postgres;
let store: Store;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  ({ store, url } = await newStore(postgres));
});
afterAll(async () => {
  await store.close();
  await postgres.stop();
});

describe('binaries', () => {
  const chunk = 2 ** 20;
  test.each([0, 1, chunk - 1, chunk, chunk + 1, 5 * chunk])('a file of %d bytes comes back as it was', async (size) => {
    const file = { executionId: randomUUID(), id: randomUUID(), bytes: randomBytes(size) };
    await store.binaries.put(file);
    await store.binaries.put(file);
    expect(Buffer.compare(await store.binaries.get(file.id) ?? Buffer.from('none'), file.bytes)).toBe(0);
  });

  test('a part of a file is read wherever chunks begin and end', async () => {
    const file = { executionId: randomUUID(), id: randomUUID(), bytes: randomBytes(3 * chunk + 5) };
    await store.binaries.put(file);
    const edges = [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk, 3 * chunk + 5, 4 * chunk];
    for (const from of edges) {
      for (const to of [...edges, 5 * chunk].filter((each) => each > from)) {
        expect(Buffer.compare(await store.binaries.read(file.id, from, to - from) ?? Buffer.from('none'), file.bytes.subarray(from, to))).toBe(0);
      }
    }
  });

  test('an id nobody stored is undefined', async () => {
    expect(await store.binaries.get(randomUUID())).toBeUndefined();
    expect(await store.binaries.read(randomUUID(), 0, 1)).toBeUndefined();
  });

  test('a file over the limit is refused with a code', async () => {
    const bytes = new Uint8Array(256 * 2 ** 20 + 1);
    await expect(store.binaries.put({ executionId: randomUUID(), id: randomUUID(), bytes })).rejects.toMatchObject({ code: 'PayloadRefused' });
  });

  test('pruning forgets the files of executions that are gone, and no others', async () => {
    await publish(store);
    const [kept, gone, young] = [randomUUID(), randomUUID(), randomUUID()];
    await store.binaries.put({ executionId: await accept(store), id: kept, bytes: randomBytes(10) });
    await store.binaries.put({ executionId: randomUUID(), id: gone, bytes: randomBytes(10) });
    await store.binaries.put({ executionId: randomUUID(), id: young, bytes: randomBytes(10) });
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query("UPDATE millrace.binary_chunk SET created_at = now() - interval '2 hours' WHERE id = ANY($1)", [[kept, gone]]);
    await client.end();
    await store.binaries.prune();
    const left = await Promise.all([kept, gone, young].map((id) => store.binaries.get(id)));
    expect(left.map((bytes) => bytes !== undefined)).toEqual([true, false, true]);
  });
});
